"""What a worker does about a work-horse that is dead, as far as it can be seen without one."""

import signal
import time
from pathlib import Path
from uuid import UUID

import pytest

from entries import transitions
from entries.models import Attempt, Entry
from retry.models import AuditEvent, Run
from retry.runs.lifecycle import claim_run
from retry.service import resync_entries
from retry.worker.activity import MAX_BEGUN, Activity, Snapshot
from retry.worker.death import Death, settle, settle_death
from retry.worker.kind_connections import KindConnections
from retry.worker.resync import SourceReader, refresh
from tests.support.asking import SCRIPT, queued_entries
from tests.support.shops import Shop, work

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = signal.SIGKILL.value


def claimed(ids: list[int], *, begun: list[int]) -> tuple[Run, Activity]:
    """A run of which a work-horse has claimed ``ids`` and begun some."""
    run_id = Entry.objects.values_list("run_id", flat=True).get(pk=ids[0])
    assert run_id is not None
    activity = Activity()
    activity.start("horse")
    run = claim_run(run_id, worker="horse")
    assert run is not None
    activity.hold(run.id)
    transitions.claim(ids, run_id=run.id, worker="horse")
    for id_ in begun:
        activity.begin(id_, seconds=60)
    return run, activity


def died(activity: Activity, *, overdue: Snapshot | None = None) -> int:
    return settle_death(activity, overdue=overdue, status=KILLED, hurry=lambda: True)


def test_what_had_begun_is_lost_and_what_had_not_goes_on_as_it_was() -> None:
    ids = queued_entries(6)
    _, activity = claimed(ids[:4], begun=ids[:2])
    assert died(activity) == 6
    entries = list(Entry.objects.order_by("id"))
    assert [e.attempt for e in entries] == [3, 3, 2, 2, 2, 2]
    assert {e.status for e in entries} == {"queued"}
    assert len({e.run_id for e in entries}) == 3
    lost = Attempt.objects.filter(status="lost")
    assert set(lost.values_list("entry_id", "began")) == {(ids[0], True), (ids[1], True)}
    assert "was killed by SIGKILL" in lost[0].error_message
    put_back = Attempt.objects.get(entry=ids[2], number=2)
    assert (put_back.status, put_back.started_at, put_back.worker) == ("queued", None, "")
    event = AuditEvent.objects.get(verb="rescue")
    assert (event.actor_label, event.count) == ("worker", 6)
    assert died(activity) == 0, "it is settled once"


def test_what_never_began_is_not_lost_however_often_its_work_horse_dies() -> None:
    ids = queued_entries(2)
    for _ in range(5):
        _, activity = claimed(ids, begun=[])
        assert died(activity) == 2
    assert set(Entry.objects.values_list("status", "attempt")) == {("queued", 2)}


def test_a_worker_that_does_not_hold_the_run_any_more_settles_nothing() -> None:
    ids = queued_entries(2)
    run, activity = claimed(ids, begun=ids[:1])
    Run.objects.filter(pk=run.pk).update(worker="another")
    before = list(Entry.objects.values())
    assert died(activity) == 0
    assert list(Entry.objects.values()) == before


def test_out_of_time_it_is_retried_as_the_kind_says_and_was_never_lost() -> None:
    ids = queued_entries(2, kind="persistent")
    run, activity = claimed(ids, begun=ids[:1])
    assert died(activity, overdue=activity.look()) == 1
    first, second = Entry.objects.order_by("id")
    assert (first.status, first.error_class) == ("scheduled", "TimeLimitExceeded")
    assert first.error_message == "took longer than 2 s"
    assert (second.status, second.attempt) == ("queued", 2)
    run.refresh_from_db()
    assert (run.state, run.scheduled, run.lost, run.handed_on) == ("finished", 1, 0, 1)


def test_an_endless_reading_is_an_error_of_the_source_and_not_read_again(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop.json")
    ids = [shop.entry("a").id, shop.entry("b").id]
    assert resync_entries(ids, actor=SCRIPT).queued == 2
    run_id = Entry.objects.values_list("run_id", flat=True)[0]
    assert run_id is not None
    run = claim_run(run_id, worker="horse")
    assert run is not None
    overdue = Snapshot(worker="horse", run_ids=(run_id,), reading=1.0)
    assert settle(run, Death(begun=[], cause="killed", overdue=overdue)) == 0
    assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}
    attempts = Attempt.objects.filter(run_id=run_id)
    assert set(attempts.values_list("status", "error_class")) == {("failed", "SourceError")}
    assert Run.objects.get(pk=run_id).state == "finished"


def test_what_a_resync_had_stored_is_processed_although_its_work_horse_died(tmp_path: Path) -> None:
    """Fetched again it is what is stored, which is no reason to leave it alone."""
    shop = Shop(tmp_path / "shop.json")
    entries = [shop.entry("a"), shop.entry("b")]
    shop.has(a={"page": "new"}, b={"page": "new"})
    resync_entries([e.pk for e in entries], actor=SCRIPT, only_if_changed=True)
    run, activity = claimed([e.pk for e in entries], begun=[])
    held = transitions.claim(run.entry_ids, run_id=run.id, worker="horse")
    with KindConnections() as connections:
        reading = SourceReader(Activity(), connections).read(run)
    refresh(held, reading, run=run, worker="horse")
    activity.begin(entries[0].pk, seconds=60)
    before = set(Attempt.objects.values_list("hash_before", flat=True)) - {""}
    assert died(activity) == 2
    work()
    for entry in entries:
        entry.refresh_from_db()
        assert entry.result == {"page": "new", "rescan": True, "change": "changed"}
        attempt = entry.attempts.get(number=entry.attempt)
        assert attempt.hash_before in before
        assert attempt.hash_before != attempt.hash_after


def test_of_several_under_way_none_is_blamed_and_each_is_retried_alone() -> None:
    ids = queued_entries(4, kind="persistent")
    run, activity = claimed(ids, begun=ids[:3])
    activity.end(ids[0])
    assert died(activity, overdue=activity.look()) == 4
    entries = list(Entry.objects.order_by("id"))
    assert {e.status for e in entries} == {"queued"}
    assert [e.attempt for e in entries] == [3, 3, 3, 2]
    assert len({e.run_id for e in entries} - {run.pk}) == 4
    lost = Attempt.objects.filter(status="lost").values_list("error_message", flat=True)
    assert all("one of 2 entries that were under way took longer" in text for text in lost)


def test_what_a_work_horse_says_it_is_at() -> None:
    activity, run_ids = Activity(), (UUID(int=7), UUID(int=8))
    assert activity.look() == Snapshot()
    activity.start("horse")
    for run_id in run_ids:
        activity.hold(run_id)
    activity.begin(5, seconds=60)
    activity.begin(3, seconds=30)
    seen = activity.look()
    assert (seen.worker, seen.run_ids, sorted(seen.begun)) == ("horse", run_ids, [3, 5])
    assert sorted(id_ for id_, _ in seen.under_way) == [3, 5]
    assert all(20 < deadline - time.monotonic() <= 60 for _, deadline in seen.under_way)
    activity.end(5)
    assert {id_ for id_, _ in activity.look().under_way} == {3}
    assert activity.look().begun == {3, 5}, "its outcome is not recorded yet"
    activity.forget([5, 99])
    activity.drop(run_ids[0])
    assert activity.look().begun == {3}
    assert activity.look().run_ids == run_ids[1:]


def test_as_many_can_begin_as_there_is_room_for_again_and_again() -> None:
    activity = Activity()
    for first in range(0, 5 * MAX_BEGUN, MAX_BEGUN):
        ids = range(first + 1, first + 1 + MAX_BEGUN)
        for id_ in ids:
            activity.begin(id_, seconds=60)
        assert activity.look().begun == set(ids)
        activity.forget(ids)
    assert not activity.look().begun


@pytest.mark.parametrize(("lost", "held", "known"), [(8, 7, False), (7, 7, True), (7, 9, False)])
def test_a_lost_run_is_that_run_and_no_other(lost: int, held: int, *, known: bool) -> None:
    activity = Activity()
    activity.hold(UUID(int=7))
    activity.lose(UUID(int=lost))
    activity.drop(UUID(int=7))
    activity.hold(UUID(int=held))
    assert activity.is_lost(UUID(int=held)) is known
