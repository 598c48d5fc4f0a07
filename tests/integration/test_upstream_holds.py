"""One upstream on hold: what depends on it waits, and its neighbours in the same runs go on."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from entries.errors import UnknownKind
from entries.models import Entry
from entries.sources.base import SourceItem
from retry import queue
from retry.dispatcher.loop import Dispatcher
from retry.holds import control as holds
from retry.holds.errors import AlreadyOnHold, NoUpstreams
from retry.holds.overview import count_waiting, find_holds_on, find_holds_on_operation, list_active
from retry.models import AuditEvent, Hold, Run, RunState, Sync
from retry.operations.progress import read_progress
from retry.runs.backlog import find_startable_runs
from retry.service import retry_entries, submit
from retry.syncs.control import request_due_syncs
from retry.worker import execution
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.holds import settle, statuses, work
from tests.support.operations import consistent, start
from tests.support.servers import wait_until
from tests.support.upstreams import by_upstream, lift, put, routed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]


def test_put_taken_over_and_lifted_like_any_other() -> None:
    breakers = holds.trip("routed", "dead", actor=SCRIPT, reason="HTTP 503", probe_after=5)
    with pytest.raises(AlreadyOnHold, match="Upstream dead of routed is already on hold"):
        holds.trip("routed", "dead", actor=SCRIPT, reason="", probe_after=5)
    taken = put()
    assert (taken.pk, taken.automatic, taken.upstream) == (breakers.pk, False, "dead")
    with pytest.raises(AlreadyOnHold):
        put()
    others = put("other"), holds.hold_kind("routed", actor=SCRIPT)
    assert holds.describe_target(taken) == "upstream dead of routed"
    assert set(list_active()) == {taken, *others}
    lift(taken)
    assert set(list_active()) == set(others)
    event = AuditEvent.objects.get(verb="lift")
    assert event.before == {
        "kind": "routed",
        "upstream": "dead",
        "automatic": False,
        "reason": "",
    }


def test_an_upstream_belongs_to_a_kind_that_has_some() -> None:
    with pytest.raises(NoUpstreams, match="The kind scripted has no upstreams"):
        holds.hold_kind("scripted", "dead", actor=SCRIPT)
    with pytest.raises(UnknownKind):
        holds.hold_kind("nope", "dead", actor=SCRIPT)
    assert not Hold.objects.exists()


def test_what_is_asked_for_later_waits_without_a_job_and_its_neighbours_go() -> None:
    hold = put()
    ids = routed("dead", "good", "dead", "good")
    retry_entries(ids, actor=SCRIPT)
    waiting = Run.objects.get(upstream="dead")
    assert (waiting.size, waiting.dispatches, waiting.queue) == (2, 0, "bulk")
    going = Run.objects.get(upstream="")
    assert (going.size, going.dispatches, going.queue) == (2, 1, "default")
    assert sum(queue.count_jobs(["default", "bulk"]).values()) == 1, "nothing held lies in Redis"
    settle()
    assert by_upstream(ids, "succeeded") == {"good"}
    assert by_upstream(ids, "queued") == {"dead"}
    lift(hold)
    settle()
    assert statuses(ids) == {"succeeded"}


def test_what_was_pushed_waits_as_well() -> None:
    put()
    items = [SourceItem(to, "", {"to": to}) for to in ("dead", "good")]
    outcome = submit(items, kind="routed", actor=SCRIPT)
    assert outcome.dispatched, "what waits for a hold does not wait for Redis"
    assert set(Run.objects.values_list("upstream", "dispatches")) == {("dead", 0), ("", 1)}


def test_what_lies_in_a_mixed_run_is_left_and_handed_on(tmp_path: Path) -> None:
    ids = routed("dead", "good", "other", "dead", "good", "other")
    retry_entries(ids, actor=SCRIPT)
    run = Run.objects.get()
    held = [put(), put("other")]
    assert execution.execute(run.pk, worker="test")
    assert by_upstream(ids, "succeeded") == {"good"}
    run.refresh_from_db()
    assert (run.state, run.succeeded, run.handed_on) == (RunState.FINISHED, 2, 4)
    parts = Run.objects.exclude(pk=run.pk)
    assert set(parts.values_list("upstream", "size", "dispatches", "queue", "created_at")) == {
        (upstream, 2, 0, "bulk", run.created_at) for upstream in ("dead", "other")
    }
    assert not find_startable_runs().exists()
    settle()
    assert by_upstream(ids, "queued") == {"dead", "other"}
    lift(held[0])
    settle()
    assert by_upstream(ids, "queued") == {"other"}
    assert set(Entry.objects.filter(upstream="dead").values_list("status", "attempt")) == {
        ("succeeded", 2)
    }


def test_a_hold_put_in_the_middle_of_a_run_stops_only_its_own(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    ids = [
        EntryFactory.create(
            failed=True, kind="routed", payload={"to": to, "wait_for": str(gate)}
        ).pk
        for to in ("good", *["dead", "good"] * 4)
    ]
    retry_entries(ids, actor=SCRIPT)

    def hold_in_the_middle() -> None:
        try:
            wait_until(lambda: Entry.objects.filter(status="running").exists())
            put()
        finally:
            gate.touch()
            connection.close()

    thread = threading.Thread(target=hold_in_the_middle)
    thread.start()
    execution.execute(Run.objects.get().pk, worker="test")
    thread.join()
    assert by_upstream(ids, "succeeded") == {"good"}
    assert by_upstream(ids, "queued") == {"dead"}
    assert Entry.objects.filter(status="succeeded").count() == 5


def test_scheduled_ones_are_not_woken_and_their_neighbours_are() -> None:
    ids = routed("dead", "good", failed=False, scheduled=True)
    hold = put()
    settle()
    assert by_upstream(ids, "scheduled") == {"dead"}
    assert count_waiting([hold])[hold.pk].scheduled == 1
    lift(hold)
    settle()
    assert statuses(ids) == {"succeeded"}


def test_an_operation_does_the_rest_and_says_what_it_waits_for() -> None:
    ids = routed(*["dead", "good", "other"] * 10)
    hold = put()
    operation = start()
    settle()
    found = read_progress(operation.pk)
    assert (found.succeeded, found.queued, found.finished) == (20, 10, False)
    assert consistent(found)
    ((waits, runs),) = find_holds_on_operation(operation.pk, actor=SCRIPT)
    assert (waits, runs > 0) == (hold, True)
    assert count_waiting([hold])[hold.pk].runs == runs
    lift(hold)
    settle()
    found = read_progress(operation.pk)
    assert (found.succeeded, found.finished) == (30, True)
    assert consistent(found)
    assert statuses(ids) == {"succeeded"}


def test_holding_names_what_an_entry_waits_for() -> None:
    upstream, whole = put(), holds.hold_kind("routed", actor=SCRIPT)
    assert find_holds_on(kind="routed", source_id=None, upstream="dead") == [upstream, whole]
    assert find_holds_on(kind="routed", source_id=None, upstream="good") == [whole]
    assert find_holds_on(kind="routed", source_id=None) == [whole]
    assert find_holds_on(kind="scripted", source_id=None, upstream="dead") == []


def test_a_source_is_synced_although_one_upstream_of_its_kind_is_on_hold() -> None:
    SourceFactory.create(entry_kind="routed", sync_interval=60)
    hold = holds.hold_kind("routed", actor=SCRIPT)
    assert request_due_syncs(actor=SCRIPT) == 0
    lift(hold)
    put()
    assert request_due_syncs(actor=SCRIPT) == 1
    assert Sync.objects.count() == 1


def test_what_was_queued_before_is_taken_out_of_redis(tmp_path: Path) -> None:
    source = SourceFactory.create(slug="news")
    ids = [queued_entries(kind="routed", to="dead")[0] for _ in range(3)]
    ids += [queued_entries(kind="scripted")[0] for _ in range(2)]
    of_source = EntryFactory.create(failed=True, kind="routed", source=source, payload={}).pk
    retry_entries([of_source], actor=SCRIPT)
    other = queued_entries(kind="routed", to="good")
    held = [
        put(),
        holds.hold_kind("scripted", actor=SCRIPT),
        holds.hold_source("news", actor=SCRIPT),
    ]
    assert queue.count_jobs(["default"])["default"] == 7
    Dispatcher().tick()
    assert queue.count_jobs(["default", "bulk"]) == {"default": 1, "bulk": 0}
    assert Run.objects.filter(dispatched_at=None, queue="bulk").count() == 6
    work()
    assert statuses(other) == {"succeeded"}
    for hold in held:
        lift(hold)
    settle()
    assert statuses([*ids, of_source]) == {"succeeded"}


def test_a_ramp_lets_go_a_few_at_first_and_all_after_a_while() -> None:
    hold = put()
    for _ in range(40):
        queued_entries(kind="routed", to="dead")
    scheduled = routed(*["dead"] * 5, failed=False, scheduled=True)
    lift(hold)
    later = queued_entries(kind="routed", to="dead")
    dispatcher = Dispatcher()
    Hold.objects.update(lifted_at=Now())
    tick = dispatcher.tick()
    assert tick.woken == 5, "what was tried before goes first"
    assert 5 <= tick.handed_over <= 20
    assert queue.count_jobs(["default"])["default"] == 1, "the click that came later, at once"
    hold.refresh_from_db()
    assert hold.released == 5 + tick.handed_over
    Hold.objects.update(lifted_at=Now(), released=1_000)
    again = Dispatcher().tick().handed_over
    assert again == 0, "another dispatcher counts on from there"
    Hold.objects.update(lifted_at=Now() - timedelta(seconds=20))
    Run.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert dispatcher.tick().handed_over == 40 - tick.handed_over - again
    settle()
    assert statuses([*scheduled, *later]) == {"succeeded"}
    assert not Entry.objects.exclude(status="succeeded").exists()
