"""Old attempts deleted by the dispatcher while a bulk operation runs, and each of both alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection
from django.utils import timezone

from bench import stage
from bench.processes import OWN, manage, run, wait_until
from bench.report import Report
from entries.sql import load
from retry.models import RetentionPass
from retry.retention.rules import RULES

ENTRIES, OLD, OLD_FULL = 100_000, 200_000, 1_000_000
WORKERS = 2
TURNS = 2
#: How long pruning alone is measured.
SECONDS = 20.0

_SQL = load(__file__)


@dataclass(slots=True)
class Turn:
    """Entries and rows a second; None for what was not done."""

    entries: float | None = None
    rows: float | None = None


def main(*, full: bool = False) -> Report:
    """Measure in turns, so that other work on the machine is spread over all of them."""
    old = OLD_FULL if full else OLD
    bulk, prune, both = [], [], []
    for _ in range(TURNS):
        bulk.append(_drain(prunes=False, old=old))
        alone, together = _prune_and_drain(old=old)
        prune.append(alone)
        both.append(together)
    drained = [_mean(t.entries for t in turns) for turns in (bulk, both)]
    deleted = [_mean(t.rows for t in turns) for turns in (prune, both)]
    return Report(
        f"Retention: {old:,} old attempts, a bulk of {ENTRIES:,} entries",
        ["", "alone", "together", "ratio"],
        [
            _row("entries a second", drained),
            _row("deleted attempts a second", deleted),
        ],
        [
            f"{WORKERS} workers and the dispatcher; means of {TURNS} turns of each in one run.",
            (
                "The dispatcher does a batch of at most 1,000 rows a second, and rests at least "
                "twice as long as it took."
            ),
        ],
    )


def _row(name: str, rates: list[float]) -> list[str]:
    alone, together = rates
    return [name, f"{alone:,.0f}", f"{together:,.0f}", f"{together / alone:.2f}"]


def _mean(values: Iterator[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


def _drain(*, prunes: bool, old: int) -> Turn:
    with _run_dispatcher(prunes=prunes):
        _make_work(old)
        return _measure_drain()


def _prune_and_drain(*, old: int) -> tuple[Turn, Turn]:
    with _run_dispatcher(prunes=True):
        _make_work(old)
        # Its pass over what was there before may have ended.
        RetentionPass.objects.filter(name="attempts").delete()
        wait_until(lambda: _count_removed() > 0, seconds=120)
        before, began = _count_removed(), time.perf_counter()
        time.sleep(SECONDS)
        alone = (_count_removed() - before) / (time.perf_counter() - began)
        together = _measure_drain()
    assert together.rows is not None
    return Turn(rows=alone), together


def _measure_drain() -> Turn:
    removed, began = _count_removed(), time.perf_counter()
    operation = stage.start_operation()
    wait_until(lambda: stage.count_open_runs(operation) == 0)
    took = time.perf_counter() - began
    return Turn(entries=ENTRIES / took, rows=(_count_removed() - removed) / took)


def _count_removed() -> int:
    known = RetentionPass.objects.filter(name="attempts").first()
    return known.removed if known is not None else 0


@contextmanager
def _run_dispatcher(*, prunes: bool) -> Iterator[None]:
    """Run workers and a dispatcher, which has the attempts to prune and nothing else."""
    RetentionPass.objects.all().delete()
    RetentionPass.objects.bulk_create(
        RetentionPass(name=name, ended_at=timezone.now()) for name in RULES if name != "attempts"
    )
    env = {**OWN, "REDRIVE_PRUNE": str(prunes).lower()}
    worker = manage("worker", stage.QUEUE)
    with run(manage("dispatcher"), *[worker] * WORKERS, env=env):
        wait_until(lambda: stage.count_idle_workers() == WORKERS)
        yield


def _make_work(old: int) -> None:
    stage.make_failed_entries(ENTRIES)
    with connection.cursor() as cursor:
        cursor.execute(_SQL["move_attempts"])
        cursor.execute(_SQL["move_sequence"])
        cursor.execute(_SQL["insert_old_entries"], {"count": old // 10})
        cursor.execute(_SQL["insert_old_attempts"])
        cursor.execute("VACUUM ANALYZE entries_entry, entries_attempt")
