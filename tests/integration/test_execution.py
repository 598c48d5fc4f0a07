"""A worker's way through a run: every way in which an entry can end."""

import threading
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import InternalError, connection

from entries import transitions
from entries.models import Attempt, Entry
from retry.models import Run
from retry.service import retry_entries
from retry.worker import execution
from retry.worker.patience import shutdown
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_shutdown")]


def run_of(entry_id: int) -> UUID:
    run_id = Entry.objects.values_list("run_id", flat=True).get(pk=entry_id)
    assert run_id is not None
    return run_id


def execute(entry_id: int) -> bool:
    return execution.execute(run_of(entry_id), worker=f"test:{uuid4().hex[:8]}")


def processed(**payload: str) -> Entry:
    """The entry after one execution of what ``payload`` asks of the kind."""
    (id_,) = queued_entries(1, kind="scripted", **payload)
    assert execute(id_)
    return Entry.objects.get(pk=id_)


def last_attempt(entry: Entry) -> Attempt:
    return entry.attempts.get(number=entry.attempt)


def test_success_stores_the_result_and_clears_the_error() -> None:
    entry = processed(do="succeed")
    assert (entry.status, entry.result) == ("succeeded", {"did": "succeed", "attempt": 2})
    assert (entry.error_class, entry.fingerprint, entry.failed_at) == ("", "", None)
    attempt = last_attempt(entry)
    assert attempt.status == "succeeded"
    assert attempt.started_at is not None
    assert attempt.ended_at is not None
    assert attempt.ended_at >= attempt.started_at
    assert attempt.worker.startswith("test:")


def test_failure_stores_what_went_wrong_on_entry_and_attempt() -> None:
    entry = processed(do="fail", message="no such thing")
    assert (entry.status, entry.error_class, entry.error_message) == (
        "failed",
        "RuntimeError",
        "no such thing",
    )
    assert entry.fingerprint
    assert entry.failed_at is not None
    assert "no such thing" in last_attempt(entry).traceback
    assert "Traceback" in last_attempt(entry).traceback


def test_a_kind_that_takes_too_long_fails_and_the_run_goes_on() -> None:
    slow = EntryFactory.create(failed=True, kind="scripted", payload={"do": "hang"})
    quick = EntryFactory.create(failed=True, kind="scripted", payload={})
    retry_entries([slow.id, quick.id], actor=SCRIPT)
    execute(slow.id)
    slow.refresh_from_db()
    quick.refresh_from_db()
    assert (slow.status, slow.error_class) == ("failed", "TimeLimitExceeded")
    assert "2 s" in slow.error_message
    assert quick.status == "succeeded"


def test_a_kind_that_asks_to_exit_only_fails_its_entry() -> None:
    entry = processed(do="exit")
    assert (entry.status, entry.error_class) == ("failed", "SystemExit")


def test_an_error_text_that_postgresql_cannot_store_is_stored_all_the_same() -> None:
    entry = processed(do="fail", message="zero \\u0000 and <script>alert(1)</script>")
    assert entry.status == "failed"
    assert "<script>" in entry.error_message


def test_an_entry_of_a_kind_that_is_gone_says_so() -> None:
    (id_,) = queued_entries(kind="long-gone")
    execute(id_)
    entry = Entry.objects.get(pk=id_)
    assert (entry.status, entry.error_class) == ("failed", "UnknownKind")


def test_a_run_counts_what_became_of_its_entries() -> None:
    ids = [
        EntryFactory.create(failed=True, kind="scripted", payload={"do": do}).id
        for do in ("succeed", "fail", "succeed", "permanent")
    ]
    retry_entries(ids, actor=SCRIPT)
    execute(ids[0])
    run = Run.objects.get(pk=run_of(ids[0]))
    assert (run.state, run.succeeded, run.failed, run.lost) == ("finished", 2, 2, 0)
    assert run.lease_expires_at is None
    assert run.ended_at is not None


def test_the_same_job_twice_executes_once(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    (id_,) = queued_entries(ledger=str(ledger))
    assert execute(id_)
    assert not execute(id_)
    assert len(ledger.read_text().splitlines()) == 1


def test_cheap_entries_are_claimed_and_finished_in_groups() -> None:
    ids = queued_entries(8, kind="grouped")
    execute(ids[0])
    assert set(Entry.objects.filter(pk__in=ids).values_list("status", flat=True)) == {"succeeded"}
    assert Run.objects.get(pk=run_of(ids[0])).succeeded == 8


def test_automatic_retries_are_scheduled_until_the_policy_ends() -> None:
    (id_,) = queued_entries(kind="persistent", do="transient")
    seen = []
    for _ in range(3):
        execute(id_)
        entry = Entry.objects.get(pk=id_)
        seen.append((entry.status, entry.automatic_attempts))
        if entry.status == "scheduled":
            assert entry.next_attempt_at is not None
            from retry.service import wake_entries

            assert wake_entries([id_], actor=SCRIPT).queued == 1
    assert seen == [("scheduled", 1), ("scheduled", 2), ("failed", 2)]
    assert entry.attempts.filter(status="failed").count() == 4


def test_a_permanent_error_is_not_retried_by_itself() -> None:
    (id_,) = queued_entries(kind="persistent", do="permanent")
    execute(id_)
    assert Entry.objects.get(pk=id_).status == "failed"


def test_a_manual_retry_starts_a_new_cycle_of_automatic_ones() -> None:
    entry = EntryFactory.create(failed=True, kind="persistent", automatic_attempts=2, payload={})
    retry_entries([entry.id], actor=SCRIPT)
    assert Entry.objects.get(pk=entry.id).automatic_attempts == 0


def test_a_worker_that_is_asked_to_stop_hands_on_what_it_has_not_begun(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = EntryFactory.create(failed=True, kind="patient", payload={"wait_for": str(gate)})
    second = EntryFactory.create(failed=True, kind="patient", payload={})
    retry_entries([first.id, second.id], actor=SCRIPT)
    old = run_of(first.id)

    def stop() -> None:
        shutdown.set()
        gate.touch()

    timer = threading.Timer(0.2, stop)
    timer.start()
    execute(first.id)
    timer.join()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status, second.attempt) == ("succeeded", "queued", 2)
    assert second.run_id != old
    handed_on = Run.objects.get(pk=run_of(second.id))
    assert (handed_on.trigger, handed_on.dispatches, handed_on.entry_ids) == (
        "retry",
        1,
        [second.id],
    )
    assert Run.objects.get(pk=old).state == "finished"
    shutdown.clear()
    execute(second.id)
    second.refresh_from_db()
    assert second.status == "succeeded"


def test_an_unknown_run_is_no_work() -> None:
    assert not execution.execute(uuid4(), worker="test")


@pytest.mark.parametrize(
    ("do", "error_class"),
    [
        ("interrupt", "KeyboardInterrupt"),
        ("cancel", "CancelledError"),
        ("close", "GeneratorExit"),
        ("own", "OwnError"),
    ],
)
def test_whatever_is_raised_is_an_outcome_at_the_first_attempt(do: str, error_class: str) -> None:
    (id_,) = queued_entries(kind="hostile", do=do)
    execute(id_)
    entry = Entry.objects.get(pk=id_)
    assert (entry.status, entry.error_class, entry.attempt) == ("failed", error_class, 2)
    assert "from within" in last_attempt(entry).traceback or do == "close"


@pytest.mark.parametrize(
    ("do", "left"),
    [
        ("begin", "a transaction that is open"),
        ("write", "a transaction that is open"),
        ("atomic", "a transaction that is open"),
        ("manual", "autocommit switched off"),
        ("set", "the setting statement_timeout = 7000"),
        ("hurry", "the setting "),
        ("lock", "an advisory lock"),
        ("table", "the temporary table left_over"),
    ],
)
def test_what_a_kind_leaves_on_its_connection_costs_its_entry_alone(do: str, left: str) -> None:
    made = [
        EntryFactory.create(failed=True, kind="hostile_together", payload={"do": action}).id
        for action in ("succeed", "query", do, "query", "succeed")
    ]
    retry_entries(made, actor=SCRIPT)
    execute(made[0])
    entries = Entry.objects.order_by("id")
    assert [e.status for e in entries] == ["succeeded"] * 2 + ["failed"] + ["succeeded"] * 2
    careless = entries[2]
    assert careless.error_class == "UncleanConnection"
    assert f'on the connection "default": {left}' in careless.error_message
    assert [entries[1].attempts.get(number=2).result, entries[3].attempts.get(number=2).result] == [
        {"did": "query", "attempt": 2}
    ] * 2
    assert Run.objects.get(pk=run_of(made[0])).state == "finished"


def test_what_a_kind_closes_is_not_the_workers(tmp_path: Path) -> None:
    ids = queued_entries(3, kind="hostile_together", do="close_all")
    with connection.cursor() as cursor:
        cursor.execute("SET application_name = 'ours'")
        execute(ids[0])
        cursor.execute("SHOW application_name")
        assert cursor.fetchone() == ("ours",)
    assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}


def test_an_outcome_whose_answer_was_lost_is_known_to_be_written(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (id_,) = queued_entries()
    finish, calls = transitions.finish, 0

    def finish_and_lose_the_answer(*args: Any, **kwargs: Any) -> set[int]:
        nonlocal calls
        calls += 1
        written = finish(*args, **kwargs)
        if calls == 1:
            raise InternalError("terminating connection")
        return written

    monkeypatch.setattr(transitions, "finish", finish_and_lose_the_answer)
    assert execute(id_)
    assert calls == 2
    assert Entry.objects.get(pk=id_).status == "succeeded"
    assert "entry.outcome_rejected" not in caplog.text
    assert Run.objects.get().state == "finished"
