"""The control loop: what it hands over, wakes and rescues, tick by tick."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db.models.functions import Now
from django.utils import timezone

from entries import transitions
from entries.models import Attempt, Entry
from retry import queue
from retry.dispatcher import repair
from retry.dispatcher.loop import Dispatcher, Tick
from retry.models import AuditEvent, Heartbeat, Run
from retry.runs.lifecycle import claim_run
from retry.worker import execution, run_worker
from tests.factories.entries import EntryFactory
from tests.support.asking import queued_entries
from tests.support.processes import redis_at
from tests.support.servers import private_redis, wait_until

if TYPE_CHECKING:
    from pathlib import Path


pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]


def tick_until(condition: Callable[[Tick], bool], dispatcher: Dispatcher | None = None) -> Tick:
    """Tick until ``condition`` holds of a tick; returns that one."""
    loop = dispatcher or Dispatcher()
    found: list[Tick] = []

    def look() -> bool:
        found.append(loop.tick())
        return condition(found[-1])

    wait_until(look, timeout=5)
    return found[-1]


def taken(ids: list[int], *, lapsed: bool = True) -> UUID:
    """The run of ``ids``, claimed by a worker that is never heard of again."""
    run_id = Entry.objects.values_list("run_id", flat=True).get(pk=ids[0])
    assert run_id is not None
    assert claim_run(run_id, worker="gone") is not None
    if lapsed:
        Run.objects.filter(pk=run_id).update(lease_expires_at=Now() - timedelta(seconds=1))
    return run_id


def run_everything() -> None:
    for name in ("default", "bulk"):
        run_worker(name, burst=True)


def test_what_redis_missed_is_handed_over_when_it_is_back(tmp_path: "Path") -> None:
    with redis_at(f"unix://{tmp_path}/nobody.sock?db=0"):
        (id_,) = queued_entries()
        assert Run.objects.get().dispatches == 0
        tick = Dispatcher().tick()
        assert (tick.redis, tick.handed_over) == (False, 0)
    assert Dispatcher().tick().handed_over == 1
    run_everything()
    assert Entry.objects.get(pk=id_).status == "succeeded"


def test_what_an_emptied_redis_lost_is_handed_over_again_under_another_id() -> None:
    (id_,) = queued_entries()
    queue.get_client().flushdb()
    tick_until(lambda tick: tick.handed_over_again == 1)
    run = Run.objects.get()
    assert run.dispatches == 2
    assert queue.observe(["default"]).waiting == {f"{run.job_id}-1"}
    run_everything()
    assert Entry.objects.get(pk=id_).status == "succeeded"


def test_what_was_committed_by_a_process_that_died_before_the_hand_over_is_handed_over() -> None:
    queued_entries()
    queue.get_client().delete("rq:queue:redrive-default", f"rq:job:{Run.objects.get().job_id}")
    tick_until(lambda tick: tick.handed_over_again == 1)
    run_everything()
    assert Entry.objects.get().status == "succeeded"


def test_what_waits_in_redis_is_left_in_peace() -> None:
    queued_entries()
    dispatcher = Dispatcher()
    ticks = [dispatcher.tick() for _ in range(5)]
    assert not any(tick.busy for tick in ticks)
    assert queue.count_jobs(["default"]) == {"default": 1}


def test_a_job_that_a_worker_took_and_never_began_is_handed_over_again() -> None:
    queued_entries()
    job_id = Run.objects.get().job_id
    waiting = "rq:queue:redrive-default"
    queue.get_client().lmove(waiting, f"{waiting}:intermediate", "LEFT", "RIGHT")
    assert queue.observe(["default"]).taken == {job_id}
    tick_until(lambda tick: tick.handed_over_again == 1)


def test_a_lapsed_run_is_rescued_the_running_alone_and_the_waiting_together() -> None:
    ids = queued_entries(4)
    old = taken(ids)
    transitions.claim(ids[:2], run_id=old, worker="gone")
    assert Dispatcher().tick().rescued == 4

    entries = list(Entry.objects.order_by("id"))
    assert [(e.status, e.attempt) for e in entries] == [
        ("queued", 3),
        ("queued", 3),
        ("queued", 2),
        ("queued", 2),
    ]
    assert len({e.run_id for e in entries}) == 3
    assert entries[2].run_id == entries[3].run_id != old
    lost = Attempt.objects.get(entry=ids[0], number=2)
    assert (lost.status, lost.error_class) == ("lost", "WorkerLost")
    run = Run.objects.get(pk=old)
    assert (run.state, run.lost, run.handed_on) == ("finished", 2, 4)
    event = AuditEvent.objects.get(verb="rescue")
    assert (event.actor_label, event.channel, event.run_id) == ("dispatcher", "system", old)
    assert event.after == {"queued": 4, "failed": 0}
    run_everything()
    assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}


def test_an_entry_that_kills_its_workers_fails_after_its_limit() -> None:
    ids = queued_entries()
    for _ in range(3):  # rescued twice, then given up
        run_id = taken(ids)
        transitions.claim(ids, run_id=run_id, worker="gone")
        transitions.begin(ids, run_id=run_id)
        assert Dispatcher().tick().rescued == 1
    entry = Entry.objects.get()
    assert (entry.status, entry.error_class, entry.attempt) == ("failed", "WorkerLost", 4)
    assert entry.fingerprint
    statuses = entry.attempts.order_by("number").values_list("status", flat=True)
    assert list(statuses) == ["failed", "lost", "lost", "failed"]


def test_an_entry_that_never_began_is_not_given_up() -> None:
    """Its workers died, or their claims were answered to nobody; none came to process it."""
    ids = queued_entries()
    for _ in range(6):
        transitions.claim(ids, run_id=taken(ids), worker="gone")
        assert Dispatcher().tick().rescued == 1
    run_everything()
    assert [e.status for e in Entry.objects.all()] == ["succeeded"]
    assert Entry.objects.get().attempts.filter(status="lost", began=False).count() == 6


def test_an_entry_that_was_lost_is_marked_before_it_begins_again() -> None:
    """Should it take its whole machine along, that counts, although nobody is there to say so."""
    ids = queued_entries(kind="asking", ask="began")
    transitions.claim(ids, run_id=taken(ids), worker="gone")
    assert Dispatcher().tick().rescued == 1
    run_everything()
    assert Entry.objects.get().result == {"began": [False, True]}


def test_after_postgresql_was_away_workers_have_time_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids = queued_entries()
    dispatcher = Dispatcher()
    assert dispatcher.tick().rescued == 0
    transitions.claim(ids, run_id=taken(ids), worker="slow")
    moment = time.monotonic()
    monkeypatch.setattr(repair, "AWAY_SECONDS", 0.0)
    monkeypatch.setattr(repair, "PATIENCE_SECONDS", 1.0)
    assert dispatcher.tick().rescued == 0
    tick_until(lambda tick: tick.rescued == 1, dispatcher)
    assert time.monotonic() - moment >= 1.0


def test_a_lease_that_still_runs_is_respected() -> None:
    ids = queued_entries()
    transitions.claim(ids, run_id=taken(ids, lapsed=False), worker="gone")
    assert not Dispatcher().tick().busy
    assert Entry.objects.get().status == "running"


def test_a_run_is_not_finished_while_an_entry_of_it_is_at_work() -> None:
    """As when the reply to a claim was lost: the lease, and then the rescue, find the entry."""
    ids = queued_entries()
    run_id = Entry.objects.values_list("run_id", flat=True).get()
    assert run_id is not None
    transitions.claim(ids, run_id=run_id, worker="somebody else")
    execution.execute(run_id, worker="test")
    assert Run.objects.get(pk=run_id).state == "running"


def test_due_automatic_retries_are_woken_and_others_wait() -> None:
    due = EntryFactory.create(scheduled=True, kind="scripted", payload={})
    later = EntryFactory.create(
        scheduled=True, kind="scripted", next_attempt_at=timezone.now() + timedelta(hours=1)
    )
    assert Dispatcher().tick().woken == 1
    run_everything()
    due.refresh_from_db()
    later.refresh_from_db()
    assert (due.status, later.status) == ("succeeded", "scheduled")
    assert Run.objects.get().trigger == "automatic"


def test_every_tick_leaves_a_sign_of_life(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("dispatcher", "--once")
    beat = Heartbeat.objects.get(name="dispatcher")
    assert timezone.now() - beat.beat_at < timedelta(seconds=5)
    assert beat.last_tick["acted"] is True
    assert "acted=True" in capsys.readouterr().out


def test_a_redis_that_goes_away_and_comes_back_empty_costs_a_delay_and_nothing_else() -> None:
    with private_redis() as redis, redis_at(redis.url):
        (id_,) = queued_entries()
        dispatcher = Dispatcher()
        dispatcher.tick()
        redis.kill()
        assert dispatcher.tick().redis is False
        redis.start()
        tick_until(lambda tick: tick.handed_over_again == 1, dispatcher)
        run_everything()
    assert Entry.objects.get(pk=id_).status == "succeeded"
    assert Entry.objects.get(pk=id_).attempt == 2


def test_a_rescue_that_comes_late_changes_nothing() -> None:
    from retry.runs.rescue import rescue

    ids = queued_entries()
    run = Run.objects.get(pk=taken(ids))
    assert rescue(run) == 1
    before = list(Entry.objects.values())
    assert rescue(run) == 0
    assert list(Entry.objects.values()) == before
    assert transitions.claim(ids, run_id=uuid4(), worker="nobody") == []
