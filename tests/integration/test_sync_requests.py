"""Asking for a sync: who gets which, how it reaches a worker, and what its row says."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from entries.models import Entry, Source
from retry import queue
from retry.dispatcher.loop import Dispatcher
from retry.dispatcher.snapshot import observe
from retry.errors import SourceDisabled, SourceNotFound
from retry.intakes.lock import try_lock
from retry.models import AuditEvent, Run, Sync
from retry.outcomes import Actor, Channel
from retry.syncs import control, work
from tests.support.asking import SCRIPT
from tests.support.processes import redis_at
from tests.support.servers import wait_until
from tests.support.syncing import counts, now_has, numbered, synced, work_off
from tests.support.threads import all_at_once

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]


def asked(source: Source, **options: bool) -> Sync:
    return control.request_sync(source.slug, actor=SCRIPT, reason="because", **options)


def never() -> bool:
    return False


def test_a_worker_does_it_and_the_row_says_how_it_went(operator: "User") -> None:
    source = numbered(1_100, invalid=1)
    actor = Actor.from_user(operator, channel=Channel.API)
    sync = control.request_sync(source.slug, actor=actor, reason="because")
    assert (sync.state, sync.dispatches, sync.dry_run) == ("queued", 1, False)
    event = AuditEvent.objects.get()
    assert (event.verb, event.reason, event.source_id) == ("request_sync", "because", source.pk)
    assert event.after == {"sync_id": sync.pk, "dry_run": False}
    assert queue.observe(["sync"]).waiting == {sync.job_id}
    work_off()
    sync.refresh_from_db()
    assert (sync.state, counts(sync), sync.queued) == ("succeeded", (1_100, 0, 0, 0, 1), 1_100)
    assert (sync.actor_label, sync.channel, sync.reason) == ("operator", "api", "because")
    assert sync.total == 1_100
    assert sync.started_at is not None
    assert sync.ended_at is not None
    assert sync.error == sync.error_code == ""
    assert set(Entry.objects.values_list("status", flat=True)) == {"queued"}
    assert set(Run.objects.values_list("actor_label", flat=True)) == {"operator"}
    summary = AuditEvent.objects.get(verb="sync")
    assert summary.actor_label == "operator"
    assert summary.after is not None
    assert summary.after["created"] == 1_100


def test_what_the_source_says_is_wrong_stands_in_the_row() -> None:
    sync = asked(numbered(5, fail_at=3))
    work_off()
    sync.refresh_from_db()
    assert (sync.state, sync.error_code) == ("failed", "unreachable")
    assert Source.objects.get().last_error == sync.error == "the line went dead"


def test_whoever_asks_while_one_is_under_way_gets_that_one() -> None:
    source = numbered(1)
    first = asked(source)
    assert asked(source).pk == first.pk
    Sync.objects.update(state="running")
    assert asked(source).pk == first.pk
    assert AuditEvent.objects.count() == 1, "nothing was done the second time"
    Sync.objects.update(state="succeeded")
    assert asked(source).pk != first.pk


def test_a_dry_run_stands_in_for_dry_runs_only() -> None:
    source = numbered(3)
    dry = asked(source, dry_run=True)
    assert asked(source, dry_run=True).pk == dry.pk
    wet = asked(source)
    assert wet.pk != dry.pk
    assert asked(source).pk == wet.pk
    work_off()
    for sync in (dry, wet):
        sync.refresh_from_db()
        assert (sync.state, sync.created) == ("succeeded", 3)
    assert Entry.objects.count() == 3


def test_two_that_ask_at_the_same_time_get_the_same() -> None:
    source = numbered(1)
    got = all_at_once(lambda: asked(source).pk, times=4)
    assert len(got) == 4
    assert len(set(got)) == 1
    assert Sync.objects.count() == 1


def test_what_cannot_be_synced_is_refused() -> None:
    with pytest.raises(SourceNotFound):
        control.request_sync("nowhere", actor=SCRIPT)
    source = numbered(1)
    Source.objects.update(enabled=False)
    with pytest.raises(SourceDisabled):
        asked(source)
    assert not Sync.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_source_that_was_disabled_meanwhile_is_left_alone() -> None:
    sync = asked(numbered(1))
    Source.objects.update(enabled=False)
    work_off()
    sync.refresh_from_db()
    assert (sync.state, sync.error_code) == ("failed", "disabled")
    assert Source.objects.get().last_error == ""


class TestHandingOver:
    def test_what_redis_missed_is_handed_over_when_it_is_back(self, tmp_path: Path) -> None:
        with redis_at(f"unix://{tmp_path}/nobody.sock?db=0"):
            sync = asked(numbered(2))
            assert not sync.dispatched
            assert Dispatcher().tick().redis is False
        tick = Dispatcher().tick()
        assert (tick.handed_over, tick.busy) == (1, True)
        work_off()
        sync.refresh_from_db()
        assert (sync.state, sync.created) == ("succeeded", 2)

    def test_what_an_emptied_redis_lost_is_handed_over_again_under_another_id(self) -> None:
        sync = asked(numbered(2))
        queue.get_client().flushdb()
        dispatcher = Dispatcher()
        wait_until(lambda: dispatcher.tick().handed_over_again == 1)
        assert queue.observe(["sync"]).waiting == {f"{sync.job_id}-1"}
        work_off()
        sync.refresh_from_db()
        assert (sync.state, sync.dispatches) == ("succeeded", 2)

    def test_what_waits_in_redis_is_left_in_peace(self) -> None:
        asked(numbered(1))
        dispatcher = Dispatcher()
        assert not any(dispatcher.tick().busy for _ in range(5))

    def test_the_same_job_twice_does_it_once(self) -> None:
        sync = asked(numbered(2))
        work.perform(sync.pk, stop=never)
        sync.refresh_from_db()
        work.perform(sync.pk, stop=never)
        again = Sync.objects.get()
        assert again.ended_at == sync.ended_at
        work.perform(404, stop=never)
        assert Sync.objects.count() == 1

    def test_one_whose_source_is_being_read_waits_for_it(self) -> None:
        source = numbered(2)
        held, done = threading.Event(), threading.Event()

        def read() -> None:
            with try_lock(Sync(source=source)) as got:
                assert got
                held.set()
                done.wait()
            connection.close()

        reader = threading.Thread(target=read)
        reader.start()
        held.wait()
        sync = asked(source)
        work_off()
        sync.refresh_from_db()
        assert sync.state == "queued"
        done.set()
        reader.join()
        dispatcher = Dispatcher()
        wait_until(lambda: dispatcher.tick().handed_over_again == 1)
        work_off()
        sync.refresh_from_db()
        assert sync.state == "succeeded"

    def test_while_another_of_the_source_runs_it_is_not_handed_over_again(self) -> None:
        source = numbered(1)
        asked(source)
        Sync.objects.create(source=source, state="running", dry_run=True)
        other = asked(numbered(1, slug="other"))
        assert [waiting.id for part in observe() for waiting in part.queued] == [other.pk]


class TestEndingEarly:
    def test_one_that_nobody_is_at_work_on_is_lost(self) -> None:
        source = numbered(1)
        sync = Sync.objects.create(source=source, state="running", actor_label="x")
        assert Dispatcher().tick().syncs_lost == 1
        sync.refresh_from_db()
        assert (sync.state, sync.error_code) == ("failed", "worker_lost")
        event = AuditEvent.objects.get(verb="sync_lost")
        assert (event.actor_label, event.source_id) == ("dispatcher", source.pk)
        assert Dispatcher().tick().syncs_lost == 0

    def test_one_that_somebody_is_at_work_on_is_not(self) -> None:
        source = numbered(1)
        lost: list[int] = []

        def look() -> None:
            lost.append(Dispatcher().tick().syncs_lost)
            connection.close()

        def meanwhile(_: object) -> None:
            thread = threading.Thread(target=look)
            thread.start()
            thread.join()

        outcome = synced(source, on_batch=meanwhile)
        assert lost == [0]
        assert Sync.objects.get(pk=outcome.sync_id).state == "succeeded"

    def test_a_worker_that_was_taken_for_dead_writes_nothing_more(self) -> None:
        source = numbered(2_500)

        def give_up(_: object) -> None:
            Sync.objects.update(state="failed", error_code="worker_lost")

        with pytest.raises(Exception, match="was ended by another process"):
            synced(source, on_batch=give_up)
        row = Sync.objects.get()
        assert (row.state, row.error_code, row.created) == ("failed", "worker_lost", 1_000)
        assert Entry.objects.count() == 2_000, "it noticed after the next batch"

    def test_one_that_is_asked_to_stop_begins_anew_elsewhere(self) -> None:
        sync = asked(numbered(2_500))
        queue.get_client().flushdb()
        work.perform(sync.pk, stop=lambda: True)
        sync.refresh_from_db()
        assert (sync.state, sync.created, sync.started_at) == ("queued", 0, None)
        assert Entry.objects.count() == 1_000
        dispatcher = Dispatcher()
        wait_until(lambda: dispatcher.tick().handed_over_again == 1)
        work_off()
        sync.refresh_from_db()
        assert (sync.state, counts(sync)) == ("succeeded", (1_500, 0, 1_000, 0, 0))
        assert set(Entry.objects.values_list("status", flat=True)) == {"queued"}

    def test_a_mistake_of_ours_is_noted_too(self) -> None:
        def break_off(_: object) -> None:
            raise ConnectionError("the lights went out")

        with pytest.raises(ConnectionError):
            synced(numbered(1), on_batch=break_off)
        row = Sync.objects.get()
        assert (row.state, row.error_code) == ("failed", "internal_error")
        assert row.error == "ConnectionError: the lights went out"

    def test_somebody_who_presses_control_c_is_noted_too(self) -> None:
        def interrupt(_: object) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            synced(numbered(1), on_batch=interrupt)
        assert Sync.objects.get().error_code == "interrupted"

    def test_a_lost_connection_is_noted_by_whoever_can(self) -> None:
        def hang_up(_: object) -> None:
            connection.connection.close()

        source = numbered(1_500)
        with pytest.raises(Exception, match="closed"):
            synced(source, on_batch=hang_up)
        row = Sync.objects.get()
        assert (row.state, row.error_code) == ("failed", "internal_error")
        now_has(source, to=1_500)
        assert counts(synced(source).report) == (500, 0, 1_000, 0, 0)
