"""How far an operation is: sums over its runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from entries.sql import load
from retry.models import Operation, OperationState, RunState
from retry.operations.sight import FRAGMENTS, build_sight, find_operation
from retry.outcomes import Actor


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of entries; they add up to ``total``. ``rate`` is outcomes a second over the last
    minute, or since it was resumed; ``eta_seconds`` is for the rest at that rate, None where
    nothing moves, as while it is paused.
    """

    operation: Operation
    planned: int = 0
    queued: int = 0
    running: int = 0
    succeeded: int = 0
    failed: int = 0
    scheduled: int = 0
    unchanged: int = 0
    cancelled: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    rate: float = 0.0
    eta_seconds: float | None = None

    @property
    def total(self) -> int:
        return self.operation.total

    @property
    def skipped_total(self) -> int:
        return sum(self.skipped.values())

    @property
    def finished(self) -> bool:
        return self.operation.ended_at is not None

    @property
    def settled(self) -> int:
        """Entries that have settled: nothing more happens to them in this operation."""
        done = self.succeeded + self.failed + self.scheduled + self.unchanged
        return done + self.cancelled + self.skipped_total


_SQL = load(__file__, include=FRAGMENTS)

#: In the order of the columns of ``progress``.
_OUTCOMES = ("succeeded", "failed", "scheduled", "unchanged", "cancelled")


def read_progress(operation_id: UUID, *, actor: Actor | None = None) -> Progress:
    """Read the progress of what the actor may see; None sees all of it.

    Reads at most a few thousand short rows. Raises ``OperationNotFound``.
    """
    operation = find_operation(operation_id, actor=actor)
    params = {"operation": operation_id, **build_sight(actor)}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["progress"], params)
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    # The same in each row; without runs there is neither.
    *_, found, running = next(iter(rows.values()), ("{}", 0))
    skipped = dict(sorted(json.loads(found).items()))
    sums = {
        name: sum(int(row[index]) for row in rows.values())
        for index, name in enumerate(_OUTCOMES, start=1)
    }

    def size(state: RunState) -> int:
        return int(rows[state][0]) if state in rows else 0

    # A cancelled run counts the entries it put back; planned runs were cancelled whole.
    cancelled = max(sums.pop("cancelled"), 0)
    never_started = size(RunState.CANCELLED) - int(rows.get(RunState.CANCELLED, [0] * 6)[5])
    active = size(RunState.RUNNING) - _outcomes(rows, RunState.RUNNING)
    left = size(RunState.PLANNED) + size(RunState.QUEUED) + active
    paused = operation.state == OperationState.PAUSED
    rate, eta = (0.0, None) if paused else _rate(rows, left=left)
    return Progress(
        operation,
        planned=size(RunState.PLANNED),
        queued=size(RunState.QUEUED) + max(active - running, 0),
        running=min(running, active),
        cancelled=cancelled + never_started,
        skipped=skipped,
        rate=rate,
        eta_seconds=eta,
        **sums,
    )


def _outcomes(rows: Mapping[str, tuple[int, ...]], state: RunState) -> int:
    return sum(int(number) for number in rows[state][1:6]) if state in rows else 0


def _rate(rows: Mapping[str, tuple[float | None, ...]], *, left: int) -> tuple[float, float | None]:
    """Return outcomes a second over the recent runs, and the seconds that ``left`` entries take."""
    outcomes = sum(int(row[6] or 0) for row in rows.values())
    seconds = max((float(row[7] or 0) for row in rows.values()), default=0.0)
    if not outcomes or seconds <= 0:
        return 0.0, None
    rate = outcomes / seconds
    return rate, left / rate if left else 0.0
