"""Failed tasks of another Celery run on its workers while ours are killed."""

import io
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as current
from django.core.management import call_command
from django.db import connection

from entries.models import Attempt, Entry, SentTask
from retry.operations.progress import read_progress
from retry.service import retry_entry
from tests.support.asking import SCRIPT
from tests.support.foreign_celery import ForeignCelery, foreign_celery
from tests.support.operations import start
from tests.support.processes import dispatching, listening_worker
from tests.support.rabbit import RabbitCelery, needs_rabbit
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytest.importorskip("celery", reason="Celery is not installed: the extra dev has it")

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = 40
#: A worker that notes that a task was sent waits until the test lets it.
_HOLD = """
CREATE FUNCTION hold_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NEW; END $$;
CREATE TRIGGER hold_sent BEFORE UPDATE ON entries_senttask
FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION hold_sent()
"""
_TERMINATE = """
SELECT pg_terminate_backend(pid, 5000)
FROM pg_locks JOIN pg_database d ON d.oid = database AND d.datname = current_database()
WHERE locktype = 'advisory' AND NOT granted
"""


@pytest.fixture(params=["redis", pytest.param("rabbit", marks=needs_rabbit())])
def celery_shop(
    tmp_path: Path, settings: "Settings", request: pytest.FixtureRequest
) -> Iterator[ForeignCelery]:
    build: Callable[..., ForeignCelery] = ForeignCelery
    if request.param == "rabbit":
        build = partial(RabbitCelery, rabbit=request.getfixturevalue("rabbit"))
    with foreign_celery(tmp_path, current.REDIS_URL, suffix="faults", build=build) as shop:
        if isinstance(shop, RabbitCelery):
            shop.empty()
        settings.REDRIVE_CELERY_HOSTS = shop.places
        yield shop


def environment(shop: ForeignCelery) -> dict[str, str]:
    return {
        "REDRIVE_CELERY_HOSTS": ",".join(shop.places),
        "REDRIVE_CELERY_CONCURRENCY": "8",
        "REDRIVE_CELERY_DOUBT_SECONDS": "5",
    }


def adopt(shop: ForeignCelery, count: int) -> None:
    for number in range(count):
        # As an installation with the message protocol 1 keeps them.
        kwargs = '{"seconds": 0.05}'
        shop.plant(f"task-{number}", task_args=f"[{number}]", task_kwargs=kwargs)
    given = ("--results", shop.results, "--broker", shop.broker)
    call_command("adopt", "celery", *given, stdout=io.StringIO())


def test_a_worker_killed_in_the_middle_runs_no_foreign_task_twice(
    celery_shop: ForeignCelery,
) -> None:
    adopt(celery_shop, TASKS)
    celery_shop.repair()
    ours = environment(celery_shop)
    operation = start(canary_size=5)
    with celery_shop.worker(), dispatching(**ours):
        with listening_worker("bulk", **ours) as worker:
            wait_until(lambda: len(celery_shop.ledger) >= 12, timeout=60)
            worker.send(signal.SIGKILL)
            worker.kill()
        with listening_worker("bulk", **ours):
            wait_until(lambda: read_progress(operation.pk).finished, timeout=90)
    executed = celery_shop.ledger
    assert set(executed.values()) == {1}
    ended = Counter(Entry.objects.values_list("status", "error_class"))
    # Killed between the note and the message, it was not sent, and says so: nothing else may fail.
    doubtful = ended.pop(("failed", "MaybeSentTask"), 0)
    assert ended == {("succeeded", ""): TASKS - doubtful}
    assert len(executed) == TASKS - doubtful
    # Some had been sent by the worker that was killed, and were only followed by the next.
    assert Attempt.objects.filter(status="lost").exists()
    assert Attempt.objects.filter(status="succeeded", result__sent=False).exists()


def test_a_worker_killed_between_sending_and_noting_sends_once(celery_shop: ForeignCelery) -> None:
    adopt(celery_shop, 1)
    celery_shop.repair()
    ours = environment(celery_shop)
    entry = Entry.objects.get()
    with connection.cursor() as cursor:
        cursor.execute(_HOLD)
        cursor.execute("SELECT pg_advisory_lock(4711)")
        try:
            retry_entry(entry.pk, actor=SCRIPT)
            with listening_worker("default", **ours) as worker:
                wait_until(lambda: celery_shop.waiting == 1, timeout=30)
                worker.send(signal.SIGKILL)
                worker.kill()
            # Its session waits, without a client.
            cursor.execute(_TERMINATE)
        finally:
            cursor.execute("DROP FUNCTION hold_sent CASCADE")
            cursor.execute("SELECT pg_advisory_unlock(4711)")
    assert SentTask.objects.get().state == "intended"
    with (
        dispatching(**ours),
        celery_shop.worker(),
        listening_worker("bulk", **ours),
        listening_worker("default", **ours),
    ):
        wait_until(lambda: Entry.objects.get().status == "succeeded", timeout=60)
    assert Attempt.objects.filter(status="lost").exists()
    entry.refresh_from_db()
    assert (entry.status, entry.error_class) == ("succeeded", "")
    assert (entry.result or {})["sent"] is False
    assert celery_shop.ledger == {0: 1}
    assert SentTask.objects.get().state == "ended"


def test_a_worker_killed_before_it_could_send_says_that_it_may_have(
    celery_shop: ForeignCelery,
) -> None:
    """The queue is where the truth would be, and Celery's broker is not asked for it."""
    adopt(celery_shop, 1)
    ours = environment(celery_shop) | {"REDRIVE_CELERY_DOUBT_SECONDS": "1"}
    entry = Entry.objects.get()
    retry_entry(entry.pk, actor=SCRIPT)
    with connection.cursor() as cursor:
        # As its worker has left it.
        cursor.execute(
            "INSERT INTO entries_senttask (entry_id, task_id, cycle, state, intended_at)"
            " SELECT entry_id, %s, (extract(epoch FROM queued_at) * 1000000)::bigint, 'intended',"
            " now() FROM entries_attempt WHERE entry_id = %s AND number = 2",
            ["4ed41fe0-ce1e-8000-8000-000000000000", entry.pk],
        )
    with dispatching(**ours), listening_worker("default", **ours):
        wait_until(lambda: Entry.objects.get().status == "failed", timeout=30)
    entry.refresh_from_db()
    assert entry.error_class == "MaybeSentTask"
    assert celery_shop.waiting == 0
