"""Failed jobs of another installation run on its workers while ours are killed."""

import io
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as current
from django.core.management import call_command

from entries.models import Attempt, Entry
from retry.operations.progress import read_progress
from tests.support.foreign_rq import QUEUE, ForeignShop, foreign_shop
from tests.support.operations import start
from tests.support.processes import dispatching, listening_worker
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)

JOBS = 40


@pytest.fixture
def rq_shop(tmp_path: Path) -> Iterator[ForeignShop]:
    with foreign_shop(tmp_path, current.REDIS_URL) as shop:
        yield shop


def test_a_worker_killed_in_the_middle_runs_no_foreign_job_twice(
    rq_shop: ForeignShop, settings: "Settings"
) -> None:
    settings.REDRIVE_RQ_HOSTS = [rq_shop.place]
    ours = {"REDRIVE_RQ_HOSTS": rq_shop.place, "REDRIVE_RQ_CONCURRENCY": "8"}
    for number in range(JOBS):
        rq_shop.enqueue(number, seconds=0.05)
    rq_shop.work_off()
    rq_shop.repair()
    call_command("adopt", "rq", "--url", rq_shop.url, "--queue", QUEUE, stdout=io.StringIO())
    operation = start(canary_size=5)
    with rq_shop.worker(), dispatching(**ours):
        with listening_worker("bulk", **ours) as worker:
            wait_until(lambda: len(rq_shop.ledger) >= 12, timeout=60)
            worker.send(signal.SIGKILL)
            worker.kill()
        with listening_worker("bulk", **ours):
            wait_until(lambda: read_progress(operation.pk).finished, timeout=60)
    assert rq_shop.ledger == dict.fromkeys(range(JOBS), 1)
    assert Counter(Entry.objects.values_list("status", flat=True)) == {"succeeded": JOBS}
    # Some had been put back by the worker that was killed, and were only followed by the next.
    assert Attempt.objects.filter(status="lost").exists()
    assert Attempt.objects.filter(status="succeeded", result__put_back=False).exists()
