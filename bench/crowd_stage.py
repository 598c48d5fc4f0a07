"""The stage of the scenes with a crowd: a real dispatcher, entries, and what was seen."""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils import timezone

from bench import processes
from entries.models import Entry
from entries.sql import load
from retry import queue
from retry.models import Action, Heartbeat, Operation
from retry.operations import control
from retry.operations.pace import Pace
from retry.operations.selection import Selection
from retry.outcomes import Actor

ACTOR = Actor.command("bench")
_SQL = load(str(Path(__file__).with_name("thousand_workers.py")))
#: Ids in one selection; the scenes have their entries by id.
_SLICE = 10_000


@dataclass(slots=True)
class Scene:
    """What a scene has seen, as rows of a table, and since when it has been playing."""

    name: str
    rows: list[tuple[str, str, str]]
    began: float = 0.0

    def add(self, what: str, seen: str) -> None:
        self.rows.append((self.name, what, seen))
        print(f"  {self.name}: {what}: {seen}", file=sys.stderr, flush=True)


class Ticks:
    """The log of the dispatcher's ticks."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, since: float) -> list[dict[str, Any]]:
        lines = self._path.read_text().splitlines()
        found = [json.loads(line) for line in lines if line.endswith("}")]
        return [tick for tick in found if tick["at"] >= since and tick["acted"]]


@contextmanager
def run_dispatcher() -> Iterator[Ticks]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ticks"
        command = [sys.executable, "-m", "bench.dispatcher_log", str(path)]
        with processes.run(command, env=processes.OWN):
            processes.wait_until(lambda: path.exists() and bool(Ticks(path).read(0.0)))
            yield Ticks(path)


def make_entries(count: int, *, upstreams: int = 1, label: str = "slow-") -> list[int]:
    with connection.cursor() as cursor:
        params: dict[str, Any] = {"count": count, "upstreams": upstreams, "label": label}
        cursor.execute(_SQL["insert_slow_entries"], params)
        return [row[0] for row in cursor.fetchall()]


def empty() -> None:
    """Remove everything, while the dispatcher rests."""
    lease = Heartbeat.objects.filter(name=Heartbeat.DISPATCHER)
    lease.update(holder="bench", lease_until=timezone.now() + timedelta(hours=1))
    time.sleep(3.0)  # it looks at its lease between two steps
    queue.get_client().flushdb()
    with connection.cursor() as cursor:
        cursor.execute(_SQL["empty"])
        cursor.execute("VACUUM ANALYZE retry_run")
    lease.update(lease_until=None)


def start(ids: Sequence[int], **pace: Any) -> Operation:
    assert len(ids) <= _SLICE
    selection = Selection(ids=tuple(ids))
    return control.start(selection, action=Action.RETRY, actor=ACTOR, pace=Pace(**pace))


def count_starts(operation: Operation) -> dict[int, int]:
    """Count an operation's entries by the second after its start in which they were queued."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["starts_by_second"], {"operation": operation.pk})
        return {int(second): int(size) for second, size in cursor.fetchall()}


def play(seconds: float, *, until: Callable[[], bool] = lambda: False) -> float:
    """Let time pass; return how much did."""
    began = time.monotonic()
    while time.monotonic() - began < seconds and not until():
        time.sleep(0.1)
    return time.monotonic() - began


def describe_ticks(ticks: Sequence[dict[str, Any]]) -> str:
    took = sorted(tick["seconds"] * 1000 for tick in ticks)
    if not took:
        return "none"
    said = [tick["statements"] for tick in ticks]
    used = [tick["cpu_seconds"] * 1000 for tick in ticks]
    late = took[min(len(took) - 1, int(len(took) * 0.95))]
    return (
        f"{len(took)}; {statistics.median(took):,.0f} ms, p95 {late:,.0f}, "
        f"longest {took[-1]:,.0f}; "
        f"processor {statistics.median(used):,.0f} ms; "
        f"statements {statistics.median(said):,.0f}, most {max(said):,.0f}"
    )


def describe_delay(delays: Sequence[float]) -> str:
    ordered = sorted(delays)
    if not ordered:
        return "none"
    return f"p95 {ordered[int(len(ordered) * 0.95)]:.2f} s, longest {ordered[-1]:.2f} s"


def count_failed(operation: Operation) -> int:
    runs = operation.runs.all()
    return sum(runs.values_list("failed", flat=True))


def count_status(ids: Sequence[int], status: str) -> int:
    return Entry.objects.filter(pk__in=list(ids), status=status).count()
