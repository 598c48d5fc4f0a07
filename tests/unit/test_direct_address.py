"""Who takes the direct address of PostgreSQL where the other is a pooler's."""

import subprocess
import sys

import pytest

from config.env import BASE_DIR
from tests.support.processes import child_environment

_SHOW = """
import sys
sys.argv = sys.argv[1:]
from config import settings
database = settings.DATABASES["default"]
print(database["PORT"], settings.DATABASE_LIMITS, settings.DATABASE_PREPARED,
      "options" in database["OPTIONS"])
"""


def show(*words: str) -> list[str]:
    environment = child_environment(
        DATABASE_URL="postgresql://me@pooler:6432/redrive",
        DATABASE_DIRECT_URL="postgresql://me@postgres:5432/redrive",
        DATABASE_LIMITS="false",
    )
    done = subprocess.run(
        [sys.executable, "-c", _SHOW, *words],
        cwd=BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize("words", ["dispatcher", "worker sync", "sync news", "migrate"])
def test_who_keeps_something_in_a_session_goes_around_the_pooler(words: str) -> None:
    prepared = str("sync" not in words)
    assert show("manage.py", *words.split()) == ["5432", "True", prepared, "True"]


@pytest.mark.parametrize("words", ["gunicorn", "manage.py worker default", "manage.py worker bulk"])
def test_others_take_the_pooler_and_send_no_options(words: str) -> None:
    assert show(*words.split()) == ["6432", "False", "False", "False"]
