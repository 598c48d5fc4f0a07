"""The import contracts of ``pyproject.toml`` are kept, and each would notice who breaks it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.laws.tree import PACKAGES, ROOT

#: All of them are linted once, in one test process.
pytestmark = pytest.mark.xdist_group("imports")

LINT = Path(sys.executable).with_name("lint-imports")
LINTING = Path(__file__).with_name("linting.py")
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


#: A line that a module must not have -> the contracts that it breaks.
VIOLATIONS: dict[tuple[str, str], set[str]] = {
    ("entries/states.py", "import retry.models"): {"entries", "layers"},
    ("entries/kinds/page.py", "from retry.outcomes import Actor"): {"entries", "layers"},
    ("retry/queue.py", "from tools.embedded import RedisServer"): {"tools"},
    ("entries/text.py", "def f():\n    import retry.errors"): {"entries", "layers"},
    ("retry/worker/execution.py", "import rq"): {"broker"},
    ("retry/api/entries/views.py", "from redis import Redis"): {"broker"},
    ("config/web/health.py", "import django_rq.queues"): {"broker"},
    ("retry/brand_new.py", "from rq.job import Job"): {"broker"},
    ("entries/foreign_rq/jobs.py", "import redis"): {"broker"},
    ("entries/foreign_rq/store.py", "from rq.job import Job"): {"broker"},
    ("entries/foreign_celery/results.py", "import kombu"): {"celery"},
    ("entries/foreign_celery/rabbit.py", "import amqp"): {"celery"},
    ("entries/kinds/celery_task.py", "from celery import Celery"): {"celery"},
    ("retry/models/work.py", "import retry.service"): {"circles", "layers"},
    ("retry/queue.py", "from retry.runs.lifecycle import hand_over"): {"circles", "layers"},
    ("retry/service.py", "from retry.api import problems"): {"circles", "layers"},
    ("entries/models/entry.py", "import entries.transitions"): {"layers"},
    ("retry/audit.py", "import retry.edits"): {"circles"},
    ("retry/runs/job_ids.py", "def f():\n    import retry.runs.creation"): {"circles"},
    ("retry/dispatcher/loop.py", "from retry.intakes.lock import try_lock"): {"lock"},
    ("retry/api/entries/views.py", "from entries import transitions"): {"channels"},
    ("retry/admin/__init__.py", "from retry.runs.lifecycle import hand_over"): {"channels"},
    ("retry/management/commands/retry.py", "import retry.queue"): {"channels"},
    ("retry/management/commands/add_source.py", "import entries.transitions"): {"channels"},
}


def read_verdicts(code: int, printed: str) -> dict[str, bool]:
    """Contract -> whether it is kept."""
    kept = {}
    for line in printed.splitlines():
        for verdict in (" KEPT", " BROKEN"):
            name, found, rest = line.partition(verdict)
            if found and (not rest or rest.startswith(" (")):
                kept[name] = verdict == " KEPT"
    assert kept, printed
    assert code == (0 if all(kept.values()) else 1), printed
    return kept


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("imports")


@pytest.fixture(scope="module")
def noticed(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> list[dict[str, bool]]:
    """The verdicts on each violation, in a copy of the tree."""
    tree = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "migrations", "static")
        shutil.copytree(ROOT / package, tree / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tree)
    done = subprocess.run(
        [sys.executable, "-P", LINTING, cache], cwd=tree, input=json.dumps([*VIOLATIONS]),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [read_verdicts(code, printed) for code, printed in json.loads(done.stdout)]


def test_every_contract_is_kept(cache: Path) -> None:
    done = subprocess.run(
        [LINT, "--cache-dir", cache], cwd=ROOT, capture_output=True, text=True, check=False
    )
    verdicts = read_verdicts(done.returncode, done.stdout + done.stderr)
    assert verdicts == dict.fromkeys(CONTRACTS.values(), True)


@pytest.mark.parametrize(
    ("number", "module", "line"), [(n, *each) for n, each in enumerate(VIOLATIONS)]
)
def test_a_violation_is_noticed(
    noticed: list[dict[str, bool]], number: int, module: str, line: str
) -> None:
    verdicts = noticed[number]
    broken = {name for name, title in CONTRACTS.items() if not verdicts[title]}
    assert broken == VIOLATIONS[module, line]
