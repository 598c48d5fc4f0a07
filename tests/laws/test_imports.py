"""The import contracts of ``pyproject.toml`` are kept, and each would notice who breaks it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.laws.tree import PACKAGES, ROOT

LINT = Path(sys.executable).with_name("lint-imports")
CONTRACTS = {
    "layers": "Imports go downwards only",
    "circles": "No circles",
    "entries": "Entries know nothing of what can be done to them",
    "tools": "The product does not need its development tools",
    "broker": "Only the queue and the worker speak to the broker",
    "celery": "One module sends to the Celery of others",
    "lock": "The lock of a source is taken in one place",
    "channels": "Channels decide nothing",
}


def lint(tree: Path, cache: Path) -> dict[str, bool]:
    """Contract -> whether it is kept."""
    done = subprocess.run(
        [LINT, "--cache-dir", cache], cwd=tree, capture_output=True, text=True, check=False
    )
    kept = {}
    for line in done.stdout.splitlines():
        for verdict in (" KEPT", " BROKEN"):
            name, found, rest = line.partition(verdict)
            if found and (not rest or rest.startswith(" (")):
                kept[name] = verdict == " KEPT"
    assert kept, done.stdout + done.stderr
    assert done.returncode == (0 if all(kept.values()) else 1), done.stdout
    return kept


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("imports")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree, for breaking laws in."""
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "migrations", "static")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept(cache: Path) -> None:
    assert lint(ROOT, cache) == dict.fromkeys(CONTRACTS.values(), True)


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("entries/states.py", "import retry.models", {"entries", "layers"}),
        ("entries/kinds/page.py", "from retry.outcomes import Actor", {"entries", "layers"}),
        ("retry/queue.py", "from tools.embedded import RedisServer", {"tools"}),
        ("entries/text.py", "def f():\n    import retry.errors", {"entries", "layers"}),
        ("retry/worker/execution.py", "import rq", {"broker"}),
        ("retry/api/entries/views.py", "from redis import Redis", {"broker"}),
        ("config/web/health.py", "import django_rq.queues", {"broker"}),
        ("retry/brand_new.py", "from rq.job import Job", {"broker"}),
        ("entries/foreign_rq/jobs.py", "import redis", {"broker"}),
        ("entries/foreign_rq/store.py", "from rq.job import Job", {"broker"}),
        ("entries/foreign_celery/results.py", "import kombu", {"celery"}),
        ("entries/kinds/celery_task.py", "from celery import Celery", {"celery"}),
        ("retry/models/work.py", "import retry.service", {"circles", "layers"}),
        ("retry/queue.py", "from retry.runs.lifecycle import hand_over", {"circles", "layers"}),
        ("retry/service.py", "from retry.api import problems", {"circles", "layers"}),
        ("entries/models/entry.py", "import entries.transitions", {"layers"}),
        ("retry/audit.py", "import retry.edits", {"circles"}),
        ("retry/runs/job_ids.py", "def f():\n    import retry.runs.creation", {"circles"}),
        ("retry/dispatcher/loop.py", "from retry.intakes.lock import try_lock", {"lock"}),
        ("retry/api/entries/views.py", "from entries import transitions", {"channels"}),
        ("retry/admin/__init__.py", "from retry.runs.lifecycle import hand_over", {"channels"}),
        ("retry/management/commands/retry.py", "import retry.queue", {"channels"}),
        ("retry/management/commands/add_source.py", "import entries.transitions", {"channels"}),
    ],
)
def test_a_violation_is_noticed(
    copy: Path, cache: Path, module: str, line: str, broken: set[str]
) -> None:
    with (copy / module).open("a") as file:
        file.write(f"\n{line}\n")
    verdicts = lint(copy, cache)
    assert {name for name, title in CONTRACTS.items() if not verdicts[title]} == broken
