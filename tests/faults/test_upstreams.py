"""One endpoint that is dead among others, and a click behind all that a hold has kept waiting."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import pytest

from entries.models import Attempt, Entry
from entries.sources.base import SourceItem
from retry import queue
from retry.holds import control as holds
from retry.models import Hold, Run, RunState
from retry.service import retry_entries, submit
from tests.factories.entries import EndpointFactory, EntryFactory
from tests.support.asking import SCRIPT
from tests.support.http import LocalServer
from tests.support.processes import manage
from tests.support.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

#: As it happened: a dead one twice a second and a good one every five seconds, for 150 seconds.
LONG = os.environ.get("FAULTS") == "long"
SECONDS, EVERY_DEAD, EVERY_GOOD = (150.0, 0.5, 5.0) if LONG else (20.0, 0.2, 2.0)
PATIENCE = 8.0
_CHILDREN = {"LOG_LEVEL": "WARNING", "REDRIVE_ALLOWED_NETWORKS": "127.0.0.1/32"}


@contextmanager
def crew(*, dispatcher: bool = True) -> Iterator[None]:
    """One worker for clicks, one for everything else."""
    with ExitStack() as stack:
        for name in ("default", "bulk"):
            stack.enter_context(manage("worker", name, **_CHILDREN))
        if dispatcher:
            stack.enter_context(manage("dispatcher", **_CHILDREN))
        yield


@pytest.fixture
def good() -> Iterator[LocalServer]:
    """Endpoints ``good``, which answers, and ``dead``, where nothing listens."""
    with LocalServer() as server:
        EndpointFactory.create(slug="good", url=server.answer("/hooks", status=204))
        EndpointFactory.create(slug="dead", url="http://127.0.0.1:9/hooks")
        yield server


def push(endpoint: str, *numbers: int) -> None:
    items = [
        SourceItem(f"{endpoint}-{number}", "", {"endpoint": endpoint, "i": number})
        for number in numbers
    ]
    submit(items, kind="webhook", actor=SCRIPT)


def waits() -> list[float]:
    """Seconds from the push of each good one to its arrival."""
    ended = Attempt.objects.filter(entry__upstream="good", number=1, ended_at__isnull=False)
    ended = ended.order_by("pk")
    return [(a.ended_at - a.queued_at).total_seconds() for a in ended if a.ended_at]


def _is_past(moment: float) -> bool:
    return time.monotonic() >= moment


def test_a_dead_endpoint_holds_nobody_else(good: LocalServer) -> None:
    with crew():
        push("good", 0)
        wait_until(waits, timeout=30, what="the crew is at work")
        began = time.monotonic()
        next_dead = next_good = began
        dead, alive = 0, 1
        while time.monotonic() - began < SECONDS:
            now = time.monotonic()
            if now >= next_dead:
                push("dead", dead)
                dead, next_dead = dead + 1, next_dead + EVERY_DEAD
            if now >= next_good:
                push("good", alive)
                alive, next_good = alive + 1, next_good + EVERY_GOOD
            wait_until(partial(_is_past, min(next_dead, next_good)))
        wait_until(lambda: len(waits()) == alive, timeout=PATIENCE)
    hold = Hold.objects.get()
    assert (hold.kind, hold.upstream, hold.automatic) == ("webhook", "dead", True)
    assert len(good.received) == alive
    assert max(waits()[1:]) < PATIENCE
    assert not Entry.objects.filter(upstream="dead", status="succeeded").exists()


def test_a_thousand_deliveries_arrive_while_another_endpoint_is_dead(good: LocalServer) -> None:
    with crew():
        push("dead", *range(60))
        wait_until(lambda: Hold.objects.filter(upstream="dead").exists(), timeout=30)
        for hundred in range(10):
            push("good", *range(hundred * 100, hundred * 100 + 100))
            push("dead", *range(100 + hundred * 20, 120 + hundred * 20))
        wait_until(lambda: len(waits()) == 1_000, timeout=60)
    assert len(good.received) == 1_000
    assert set(Hold.objects.values_list("upstream", flat=True)) == {"dead"}


def test_a_click_is_started_before_all_that_a_lifted_hold_releases() -> None:
    for _ in range(120):
        ids = [
            entry.pk
            for entry in EntryFactory.create_batch(
                25, failed=True, kind="scripted", payload={"nap": 0.02}
            )
        ]
        retry_entries(ids, actor=SCRIPT)
    assert queue.count_jobs(["default"]) == {"default": 120}
    hold = holds.hold_kind("scripted", actor=SCRIPT)
    with crew():
        empty = {"default": 0, "bulk": 0}
        wait_until(lambda: queue.count_jobs(["default", "bulk"]) == empty, timeout=30)
        assert not Run.objects.exclude(state=RunState.QUEUED).exists()
        holds.lift(hold.pk, actor=SCRIPT)
        wait_until(lambda: Entry.objects.filter(status="succeeded").count() > 300, timeout=60)
        clicked = []
        for _ in range(5):
            entry = EntryFactory.create(failed=True, kind="scripted", payload={})
            retry_entries([entry.pk], actor=SCRIPT)
            attempt = Attempt.objects.filter(entry=entry, number=2, started_at__isnull=False)
            wait_until(attempt.exists, timeout=20)
            clicked.append(attempt.get())
        left = Entry.objects.filter(kind="scripted", status="queued").count()
        assert left > 500, "the others were still waiting"
        seconds = [
            (click.started_at - click.queued_at).total_seconds()
            for click in clicked
            if click.started_at
        ]
        assert max(seconds) < 2.0, seconds
