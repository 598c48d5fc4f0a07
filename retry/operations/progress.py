"""How far an operation is: sums over its runs, and the list of what became of each entry."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection

from retry.errors import OperationNotFound
from retry.models import Operation, OperationState, RunState


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of entries; they add up to ``total``. ``rate`` is outcomes a second over the last
    minute, or since it was resumed; ``eta_seconds`` what is left at that rate (None where nothing
    moves, as in an operation that is paused).
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
        """Entries of which nothing more is to be expected here."""
        done = self.succeeded + self.failed + self.scheduled + self.unchanged
        return done + self.cancelled + self.skipped_total


#: In the order of the columns below.
_OUTCOMES = ("succeeded", "failed", "scheduled", "unchanged", "cancelled")

_SUMS = """
SELECT state, sum(size - skipped_count - handed_on), sum(succeeded), sum(failed), sum(scheduled),
       sum(unchanged), sum(cancelled),
       sum(CASE WHEN recent THEN succeeded + failed + scheduled + unchanged ELSE 0 END),
       extract(epoch FROM now() - min(CASE WHEN recent THEN started_at END))
FROM (
    -- What began before a pause says nothing of how fast it goes since.
    SELECT r.*, (r.ended_at > now() - interval '1 minute' OR r.state = 'running')
                AND (o.resumed_at IS NULL OR r.started_at >= o.resumed_at) AS recent
    FROM retry_run r JOIN retry_operation o ON o.id = r.operation_id
    WHERE r.operation_id = %s
) r GROUP BY state
"""

_SKIPPED = """
SELECT key, sum(value::int) FROM retry_run, jsonb_each_text(skipped_counts)
WHERE operation_id = %s AND skipped_count > 0 GROUP BY key ORDER BY key
"""

_RUNNING = """
SELECT count(*) FROM entries_entry WHERE status = 'running' AND run_id = ANY(
    ARRAY(SELECT id FROM retry_run WHERE operation_id = %s AND state = 'running'))
"""


def progress(operation_id: UUID) -> Progress:
    """Raises ``OperationNotFound``. One read of a few thousand short rows, whatever the size."""
    operation = Operation.objects.filter(pk=operation_id).first()
    if operation is None:
        raise OperationNotFound(operation_id)
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, [operation_id])
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(_SKIPPED, [operation_id])
        skipped = {reason: int(count) for reason, count in cursor.fetchall()}
        cursor.execute(_RUNNING, [operation_id])
        running = int(cursor.fetchone()[0])
    sums = {
        name: sum(int(row[index]) for row in rows.values())
        for index, name in enumerate(_OUTCOMES, start=1)
    }

    def size(state: RunState) -> int:
        return int(rows[state][0]) if state in rows else 0

    # A cancelled run counts what it put back; planned ones were cancelled whole.
    cancelled = max(sums.pop("cancelled"), 0)
    never_started = size(RunState.CANCELLED) - int(rows.get(RunState.CANCELLED, [0] * 6)[5])
    at_work = size(RunState.RUNNING) - _outcomes(rows, RunState.RUNNING)
    left = size(RunState.PLANNED) + size(RunState.QUEUED) + at_work
    paused = operation.state == OperationState.PAUSED
    rate, eta = (0.0, None) if paused else _rate(rows, left=left)
    return Progress(
        operation,
        planned=size(RunState.PLANNED),
        queued=size(RunState.QUEUED) + max(at_work - running, 0),
        running=min(running, at_work),
        cancelled=cancelled + never_started,
        skipped=skipped,
        rate=rate,
        eta_seconds=eta,
        **sums,
    )


def _outcomes(rows: Mapping[str, tuple[int, ...]], state: RunState) -> int:
    return sum(int(number) for number in rows[state][1:6]) if state in rows else 0


def _rate(rows: Mapping[str, tuple[float | None, ...]], *, left: int) -> tuple[float, float | None]:
    """Outcomes of the runs of the last minute, over the time since the first of them began."""
    outcomes = sum(int(row[6] or 0) for row in rows.values())
    seconds = max((float(row[7] or 0) for row in rows.values()), default=0.0)
    if not outcomes or seconds <= 0:
        return 0.0, None
    rate = outcomes / seconds
    return rate, left / rate if left else 0.0
