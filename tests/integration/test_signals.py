"""Signals for outcomes: after the commit, in batches, and at the receiver's own cost."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.dispatch import Signal

from entries.models import Entry
from retry import signals
from retry.models import Run
from retry.runs.lifecycle import claim_run
from retry.runs.rescue import DISPATCHER, take_entries
from retry.signals import OUTBOX, entries_failed, entries_scheduled, entries_succeeded
from retry.worker.claim import Claim
from retry.worker.patience import NONE
from tests.support.asking import queued_entries
from tests.support.counts import fail, succeed
from tests.support.servers import wait_until
from tests.support.shops import work

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def receiving(signal: Signal, receiver: Callable[..., object]) -> Iterator[None]:
    signal.connect(receiver, weak=False)
    try:
        yield
    finally:
        signal.disconnect(receiver)
        OUTBOX.reset()


def test_a_batch_is_one_signal_and_is_committed_when_it_comes() -> None:
    seen: list[dict[str, Any]] = []

    def note(*, outcomes: Any, **about: Any) -> None:
        stored = Entry.objects.filter(pk__in=[o.entry_id for o in outcomes]).order_by("pk")
        seen.append({**about, "stored": [e.status for e in stored]})

    ids = queued_entries(3, kind="grouped")
    run = Run.objects.get()
    with receiving(entries_succeeded, note):
        work()
        assert OUTBOX.drain(20)
    assert sum(len(batch["stored"]) for batch in seen) == len(ids)
    assert {status for batch in seen for status in batch["stored"]} == {"succeeded"}
    assert (seen[0]["kind"], seen[0]["run_id"], seen[0]["operation_id"]) == (
        "grouped",
        run.id,
        None,
    )


def test_failed_and_scheduled_are_told_apart() -> None:
    failed: list[str] = []
    scheduled: list[str] = []
    with (
        receiving(entries_failed, lambda *, outcomes, **_: failed.extend(outcomes)),
        receiving(entries_scheduled, lambda *, outcomes, **_: scheduled.extend(outcomes)),
    ):
        (first,) = queued_entries(1, do="permanent")
        (second,) = queued_entries(1, kind="persistent", do="transient")
        work()
        assert OUTBOX.drain(20)
    assert [outcome.entry_id for outcome in failed] == [first]  # type: ignore[attr-defined]
    assert [outcome.entry_id for outcome in scheduled] == [second]  # type: ignore[attr-defined]


def test_what_workers_lose_for_good_has_failed() -> None:
    seen: list[Any] = []
    queued_entries(1)
    with receiving(entries_failed, lambda *, outcomes, **_: seen.extend(outcomes)):
        for _ in range(5):
            for waiting in Run.objects.filter(state="queued"):
                claimed = claim_run(waiting.pk, worker="w")
                assert claimed is not None
                Claim(claimed, worker="w", patience=NONE).take(claimed.entry_ids)
            for lost in Run.objects.filter(state="running"):
                take_entries(lost, cause="worker w was killed", began=True, actor=DISPATCHER)
        assert OUTBOX.drain(20)
    assert [outcome.error.error_class for outcome in seen] == ["WorkerLost"]


def test_a_receiver_that_raises_costs_itself() -> None:
    seen: list[int] = []

    def explode(**_: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    def leave(**_: Any) -> None:
        raise SystemExit

    ids = queued_entries(2)
    with (
        receiving(entries_succeeded, explode),
        receiving(entries_succeeded, lambda *, outcomes, **_: seen.append(len(outcomes))),
        receiving(entries_succeeded, leave),
    ):
        work()
        assert OUTBOX.drain(20)
    assert set(Entry.objects.filter(pk__in=ids).values_list("status", flat=True)) == {"succeeded"}
    assert sum(seen) == 2


def test_a_slow_receiver_delays_nothing_and_loses_what_does_not_fit(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(signals, "MOST_WAITING", 3)
    go_on, begun = threading.Event(), threading.Event()
    seen: list[int] = []

    def dawdle(*, outcomes: Any, **_: Any) -> None:
        begun.set()
        go_on.wait(30)
        seen.append(len(outcomes))

    run = Run(kind="scripted")
    with receiving(entries_succeeded, dawdle):
        signals.announce([succeed(1)], run=run)
        assert begun.wait(10)
        signals.announce([succeed(2), succeed(3)], run=run)
        signals.announce([succeed(4)], run=run)
        assert not OUTBOX.drain(0)
        go_on.set()
        assert OUTBOX.drain(20)
    assert seen == [1, 2]
    assert [record.message for record in caplog.records] == ["signals.dropped"] * 2


def test_without_a_receiver_there_is_no_thread() -> None:
    signals.announce([succeed(1), fail("it broke")], run=Run(kind="scripted"))
    assert OUTBOX._thread is None


def test_a_thread_with_nothing_to_do_ends() -> None:
    with receiving(entries_succeeded, lambda **_: None):
        signals.announce([succeed(1)], run=Run(kind="scripted"))
        thread = OUTBOX._thread
        assert thread is not None
        wait_until(lambda: not thread.is_alive(), timeout=20)
        assert OUTBOX._thread is None
