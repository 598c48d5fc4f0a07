"""Two writers at the same entries, in both orders of winner.

The first one holds its transaction open; the second is seen waiting for its lock; then the first
commits, and what the second one returns must fit what the first one did.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from entries import transitions
from entries.models import Entry
from entries.states import EntryStatus
from entries.transitions import Outcome
from retry.models import Run, Trigger
from retry.runs.lifecycle import claim_run, renew_leases
from retry.runs.rescue import rescue
from retry.runs.start import start_entries
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def in_order(first: Callable[[], Any], second: Callable[[], Any]) -> tuple[Any, Any]:
    """What both return when ``second`` starts while ``first`` is done and not yet committed."""
    results: dict[str, Any] = {}
    backend = threading.Event()
    pids: list[int] = []

    def run_second() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
            backend.set()
            with transaction.atomic():
                results["second"] = second()
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            results["error"] = error
        finally:
            connection.close()

    thread = threading.Thread(target=run_second)
    with transaction.atomic():
        results["first"] = first()
        thread.start()
        assert backend.wait(5)
        wait_until(lambda: waits_for_a_lock(pids[0]) or not thread.is_alive())
    thread.join(10)
    if "error" in results:
        raise results["error"]
    return results["first"], results["second"]


def waits_for_a_lock(pid: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [pid])
        return bool(cursor.fetchone()[0])


def retry(ids: list[int]) -> Sequence[transitions.QueueResult]:
    return start_entries(
        ids, verb="retry", trigger=Trigger.RETRY, actor=SCRIPT, reason="", bulk=False
    ).results


def running() -> tuple[list[int], UUID]:
    """One entry in the hands of a worker whose lease has lapsed."""
    ids = queued_entries()
    run_id = Run.objects.values_list("id", flat=True).get()
    assert claim_run(run_id, worker="slow") is not None
    transitions.claim(ids, run_id=run_id, worker="slow")
    Run.objects.update(lease_expires_at=Now() - timedelta(seconds=1))
    return ids, run_id


def test_of_two_retries_the_second_sees_the_first() -> None:
    entry = EntryFactory.create(failed=True)
    won, lost = in_order(lambda: retry([entry.id]), lambda: retry([entry.id]))
    assert won[0].run_id is not None
    assert (lost[0].run_id, lost[0].status) == (None, EntryStatus.QUEUED)
    entry.refresh_from_db()
    assert (entry.attempt, entry.run_id) == (2, won[0].run_id)
    assert entry.attempts.count() == 2


def test_overlapping_selections_share_out_and_never_deadlock() -> None:
    ids = [e.id for e in EntryFactory.create_batch(6, failed=True)]
    first, second = in_order(lambda: retry(ids[:4]), lambda: retry(ids[::-1]))
    assert {s.id for s in first if s.run_id} == set(ids[:4])
    assert {s.id for s in second if s.run_id} == set(ids[4:])
    assert {s.status for s in second if not s.run_id} == {EntryStatus.QUEUED}


def test_an_outcome_before_the_rescue_stands() -> None:
    ids, run_id = running()
    ending = Outcome(ids[0], EntryStatus.SUCCEEDED, result={"from": "worker"})
    written, taken = in_order(
        lambda: transitions.finish([ending], run_id=run_id),
        lambda: rescue(Run.objects.get(pk=run_id)),
    )
    assert (written, taken) == ({ids[0]}, 0)
    entry = Entry.objects.get()
    assert (entry.status, entry.attempt) == ("succeeded", 2)


def test_an_outcome_after_the_rescue_is_rejected() -> None:
    ids, run_id = running()
    ending = Outcome(ids[0], EntryStatus.SUCCEEDED, result={"from": "a zombie"})
    taken, written = in_order(
        lambda: rescue(Run.objects.get(pk=run_id)),
        lambda: transitions.finish([ending], run_id=run_id),
    )
    assert (taken, written) == (1, set())
    entry = Entry.objects.get()
    assert (entry.status, entry.attempt, entry.result) == ("queued", 3, None)
    assert entry.attempts.get(number=2).status == "lost"


def test_a_renewal_before_the_rescue_keeps_the_run() -> None:
    _, run_id = running()
    run = Run.objects.get(pk=run_id)
    renewed, taken = in_order(lambda: renew_leases([run_id], worker="slow"), lambda: rescue(run))
    assert renewed is not None
    assert taken == 0
    assert Entry.objects.get().status == "running"


def test_a_renewal_after_the_rescue_finds_the_run_gone() -> None:
    _, run_id = running()
    run = Run.objects.get(pk=run_id)
    taken, renewed = in_order(lambda: rescue(run), lambda: renew_leases([run_id], worker="slow"))
    assert (taken, renewed) == (1, set())


def test_of_two_workers_with_the_same_job_one_gets_the_run() -> None:
    queued_entries()
    run_id = Run.objects.values_list("id", flat=True).get()
    first, second = in_order(
        lambda: claim_run(run_id, worker="one"), lambda: claim_run(run_id, worker="two")
    )
    assert first is not None
    assert second is None
    assert Run.objects.get().worker == "one"


def test_an_edit_of_the_title_meanwhile_does_not_hide_the_entry_from_a_retry() -> None:
    entry = EntryFactory.create(failed=True)
    edited, seen = in_order(
        lambda: Entry.objects.filter(pk=entry.id).update(title="edited"),
        lambda: retry([entry.id]),
    )
    assert edited == 1
    assert seen[0].run_id is not None
    entry.refresh_from_db()
    assert (entry.title, entry.status) == ("edited", "queued")


def test_a_retry_right_after_the_failure_it_waited_for_succeeds() -> None:
    ids, run_id = running()
    from entries.text import describe_error

    ending = Outcome(ids[0], EntryStatus.FAILED, error=describe_error(RuntimeError("again")))
    written, seen = in_order(
        lambda: transitions.finish([ending], run_id=run_id), lambda: retry(ids)
    )
    assert written == set(ids)
    assert seen[0].status is EntryStatus.FAILED
    assert seen[0].run_id not in {None, run_id}


def test_a_stale_instance_saved_late_does_not_undo_a_transition() -> None:
    entry = EntryFactory.create(failed=True)
    stale = Entry.objects.get(pk=entry.id)
    stale.title = "edited"
    stale.status = EntryStatus.FAILED
    _, _ = in_order(lambda: retry([entry.id]), stale.save)
    entry.refresh_from_db()
    assert (entry.title, entry.status, entry.attempt) == ("edited", "queued", 2)


def test_a_run_id_of_nobody_opens_nothing() -> None:
    ids, _ = running()
    ending = Outcome(ids[0], EntryStatus.SUCCEEDED)
    assert transitions.finish([ending], run_id=uuid4()) == set()
    assert Entry.objects.get().status == "running"
