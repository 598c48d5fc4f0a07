"""What processes import: none waits for what it does not use."""

import subprocess
import sys

import pytest
from django.core import checks
from django.core.checks.registry import registry

from config.env import BASE_DIR
from entries.registry import WORK
from retry.admin.apps import check_pages
from tests.support.processes import child_environment

_START = """
import gc, sys
gc.disable()
import django
django.setup()
import manage
command = manage.Utility().fetch_command(sys.argv[1])
command.check(tags=command.requires_system_checks)
assert gc.isenabled() and gc.get_freeze_count()
print(*(name for name in sys.argv[2:] if name in sys.modules))
"""
#: Pages, the API, and workbooks.
_HEAVY = ("retry.admin.registrations", "retry.api.urls", "openpyxl")


def find_imported(command: str, *names: str) -> list[str]:
    """Which of the modules a process has that begins with the command."""
    done = subprocess.run(
        [sys.executable, "-c", _START, command, *names],
        cwd=BASE_DIR,
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("command", ["worker", "dispatcher", "retry"])
def test_commands_import_no_pages_and_no_workbooks(command: str) -> None:
    assert find_imported(command, *_HEAVY) == []


def test_a_work_horse_imports_nothing_that_its_parent_could_have() -> None:
    horse = ("psycopg_pool", "retry.worker.side_by_side", "entries.kinds.page", "httpx")
    assert find_imported("worker", *horse) == [*horse]


def test_pages_are_checked_and_workers_check_their_kinds() -> None:
    assert check_pages(None) == []
    tags = {getattr(check, "__name__", ""): check.tags for check in registry.get_checks()}
    assert "admin" in tags["check_pages"]
    for name in ("check_kinds", "check_modules", "queues_exist"):
        assert WORK in tags[name]
    assert checks.tag_exists(WORK)
