"""The breaker's probes: single entries, until one shows that the kind works again."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from entries.models import Entry
from retry import queue
from retry.dispatcher.breaker import watch
from retry.dispatcher.loop import Dispatcher
from retry.holds import control as holds
from retry.models import AuditEvent, Hold, Run
from retry.operations import control
from retry.operations.items import list_items
from retry.operations.progress import read_progress
from retry.runs.backlog import find_startable_runs
from retry.service import retry_entries
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.holds import due, execute, probe, settle, tripped
from tests.support.operations import consistent, failed, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]


def test_the_oldest_entry_is_released_alone_and_its_success_lets_all_go_on(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    tripped()
    ids = queued_entries(5, ledger=str(ledger))
    later = queued_entries(1, ledger=str(ledger))
    big = Run.objects.get(size=5)
    assert watch() == 1
    released = probe()
    assert (released.entry_ids, released.probe, released.created_at) == (
        ids[:1],
        True,
        big.created_at,
    )
    big.refresh_from_db()
    assert (big.entry_ids, big.size) == (ids[1:], 4)
    assert list(find_startable_runs()) == [released], "and nothing else"
    assert watch() == 0, "one at a time"
    assert AuditEvent.objects.get(verb="probe").entry_id == ids[0]
    assert not execute(big)
    assert execute(released)
    assert watch() == 1
    hold = Hold.objects.get()
    assert (hold.lifted_by, hold.lifted_reason) == ("breaker", "a probe succeeded")
    settle()
    assert [int(line.split()[0]) for line in ledger.read_text().splitlines()] == [*ids, *later]
    assert set(Entry.objects.values_list("status", "attempt")) == {("succeeded", 2)}


def test_a_passing_fault_makes_the_next_probe_later() -> None:
    tripped()
    ids = queued_entries(3, do="transient")
    waits = []
    for number in range(1, 4):
        due()
        assert watch() == 1
        assert execute(probe())
        watch()
        hold = Hold.objects.get()
        assert (hold.lifted_at, hold.probe_run_id, hold.probes) == (None, None, number)
        assert hold.next_probe_at is not None
        waits.append(round((hold.next_probe_at - timezone.now()).total_seconds()))
    assert waits == [10, 20, 40]
    assert set(Entry.objects.values_list("id", "status")) == {(id_, "failed") for id_ in ids}
    assert Run.objects.filter(probe=True).count() == 3


def test_a_failure_for_good_shows_that_the_upstream_answers() -> None:
    tripped()
    queued_entries(2, do="permanent")
    watch()
    execute(probe())
    assert watch() == 1
    assert Hold.objects.get().lifted_reason == "a probe failed, but not with a transient error"


def test_with_nothing_waiting_nothing_is_tried_until_something_comes() -> None:
    tripped()
    assert watch() == 0
    queued_entries()
    assert watch() == 1


def test_the_only_entry_of_a_run_takes_the_run_along() -> None:
    tripped()
    queued_entries()
    queue.get_client().flushdb()
    settle()
    run = Run.objects.get()
    assert (run.probe, run.state, run.succeeded) == (True, "finished", 1)
    assert Hold.objects.get().lifted_by == "breaker"


def test_a_scheduled_entry_is_tried_before_its_time_where_nothing_else_waits() -> None:
    made = [
        EntryFactory.create(
            scheduled=True,
            kind="persistent",
            payload={"do": "transient"},
            automatic_attempts=2,
            next_attempt_at=timezone.now() + timedelta(minutes=minutes),
        )
        for minutes in (9, 5)
    ]
    tripped("persistent")
    assert watch() == 1
    released = probe()
    assert released.entry_ids == [made[1].pk]
    assert execute(released)
    watch()
    made[1].refresh_from_db()
    assert made[1].status == "scheduled", "a probe is never the last of the automatic retries"
    due()
    EntryFactory.create(scheduled=True, kind="persistent", payload={})
    assert watch() == 1
    assert probe().entry_ids == [made[1].pk], "the oldest of those that are due"


def test_a_probe_whose_worker_died_is_followed_by_another() -> None:
    tripped()
    queued_entries(2, do="die")
    watch()
    first = probe()
    from entries import transitions
    from retry.runs.lifecycle import claim_run

    for _ in range(3):
        run = probe()
        assert claim_run(run.pk, worker="gone") is not None
        transitions.claim(run.entry_ids, run_id=run.pk, worker="gone")
        transitions.begin(run.entry_ids, run_id=run.pk)
        assert watch() == 0, "its lease decides"
        Run.objects.filter(pk=run.pk).update(lease_expires_at=Now() - timedelta(seconds=1))
        Dispatcher().tick()
        hold = Hold.objects.get()
        assert (hold.lifted_at, hold.probe_run_id, hold.probes) == (None, None, 0)
        due()
        assert watch() == 1
    assert Entry.objects.order_by("pk")[0].error_class == "WorkerLost"
    assert probe().pk != first.pk
    assert probe().entry_ids == [Entry.objects.order_by("pk")[1].pk]


def test_a_probe_that_has_to_wait_for_something_else_is_given_up() -> None:
    news = SourceFactory.create(slug="news")
    in_news = EntryFactory.create(failed=True, kind="scripted", source=news, payload={}).pk
    tripped()
    retry_entries([in_news], actor=SCRIPT)
    other = queued_entries()
    watch()
    assert probe().entry_ids == [in_news]
    of_source = holds.hold_source("news", actor=SCRIPT)
    watch()
    assert not Run.objects.filter(probe=True).exists()
    due()
    assert watch() == 1
    assert probe().entry_ids == other
    holds.lift(of_source.pk, actor=SCRIPT)
    assert not find_startable_runs().filter(entry_ids=[in_news]).exists(), "it is no probe any more"


def test_lifted_or_taken_over_meanwhile_a_probe_is_a_run_like_any_other() -> None:
    tripped()
    queued_entries(2)
    watch()
    holds.hold_kind("scripted", actor=SCRIPT)
    assert not Run.objects.filter(probe=True).exists()
    assert not find_startable_runs().exists()
    assert watch() == 0, "what a person holds is not probed"


def test_it_survives_an_emptied_redis_and_another_dispatcher() -> None:
    tripped()
    ids = queued_entries(4)
    Dispatcher().tick()
    queue.get_client().flushdb()
    settle()
    assert set(Entry.objects.filter(pk__in=ids).values_list("status", flat=True)) == {"succeeded"}


def test_an_operation_adds_up_while_entries_of_it_are_probes() -> None:
    ids = failed(25, do="transient")
    operation = start()
    Dispatcher().tick()
    tripped("grouped")
    for number in (1, 2):
        due()
        assert watch() == 1
        assert consistent(read_progress(operation.pk))
        assert read_progress(operation.pk).queued == 26 - number
        assert execute(probe())
        watch()
        found = read_progress(operation.pk)
        assert (found.failed, found.queued) == (number, 25 - number)
        assert consistent(found)
    assert sorted(item.entry_id for item in list_items(operation).items) == ids
    Entry.objects.filter(pk__in=ids[2:]).update(payload={})
    due()
    settle()
    found = read_progress(operation.pk)
    assert (found.succeeded, found.failed, found.finished) == (23, 2, True)
    assert consistent(found)


def test_an_operation_that_has_not_begun_is_probed_as_well() -> None:
    failed(25)
    tripped("grouped")
    Hold.objects.update(next_probe_at=Now() + timedelta(hours=1))
    operation = start()
    settle()
    assert read_progress(operation.pk).planned == 25
    due()
    settle()
    found = read_progress(operation.pk)
    assert (found.succeeded, found.finished) == (25, True)


def test_no_probe_comes_out_of_a_paused_or_cancelled_operation() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    tripped("grouped")
    control.pause(operation.pk, actor=SCRIPT)
    assert watch() == 0
    control.cancel(operation.pk, actor=SCRIPT)
    assert watch() == 0
    settle()
    assert read_progress(operation.pk).cancelled == 25
