"""An import whose worker is killed in the middle: another goes on, and nothing is done twice."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from entries.models import Attempt, Entry
from retry.imports import control
from retry.models import AuditEvent, Import, Run
from tests.support.asking import SCRIPT
from tests.support.imports import asked, fresh, numbered
from tests.support.processes import listening_worker
from tests.support.servers import Spawned, wait_until

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 8_000


@pytest.fixture
def worker(uploads: Path) -> Iterator[Spawned]:
    with listening_worker("sync", REDRIVE_UPLOAD_DIR=str(uploads)) as process:
        yield process


def horse_of(worker: Spawned) -> int:
    children = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
    return int(children[0])


def is_beyond(row: Import, position: int) -> bool:
    return fresh(row).position > position


def test_killed_workers_lose_nothing_and_double_nothing(
    dispatcher: Spawned, worker: Spawned
) -> None:
    preview = asked(numbered(ROWS))
    wait_until(lambda: fresh(preview).finished, timeout=60)
    row = control.confirm_import(preview.pk, actor=SCRIPT)
    for reached in (0, 2_000):
        wait_until(partial(is_beyond, row, reached), timeout=60)
        os.kill(horse_of(worker), signal.SIGKILL)
    wait_until(lambda: fresh(row).finished, timeout=120)
    assert (row.state, row.created, row.unchanged) == ("succeeded", ROWS, 0)
    assert row.losses == 2
    assert AuditEvent.objects.filter(verb="import_lost").count() == 2
    assert Entry.objects.count() == ROWS
    assert Attempt.objects.count() == ROWS
    assert sum(run.size for run in Run.objects.all()) == ROWS
