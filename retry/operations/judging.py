"""Whether an operation may go on, by the outcomes it has had so far."""

from dataclasses import dataclass

from django.db import connection

from retry.models import Operation

#: How many of the last outcomes are looked at, and how few say nothing yet.
WINDOW = 100
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """``pause``: why it must stop. ``wait``: the canary's outcomes are not all there yet.
    ``canary_only``: nothing but the canary may start.
    """

    pause: str = ""
    wait: bool = False
    canary_only: bool = False


def judge(operation: Operation) -> Verdict:
    """Look at the canary first, then at the last outcomes. Notes a canary that has passed."""
    if operation.canary_size and not operation.canary_done:
        verdict = _judge_canary(operation)
        if verdict is not None:
            return verdict
        Operation.objects.filter(pk=operation.pk).update(canary_done=True)
    return Verdict(pause=_too_many_failures(operation))


_CANARY = """
SELECT count(*) FILTER (WHERE state = 'planned'),
       count(*) FILTER (WHERE state IN ('queued', 'running')),
       coalesce(sum(succeeded + unchanged), 0), coalesce(sum(failed + scheduled), 0)
FROM retry_run WHERE operation_id = %s AND canary
"""


def _judge_canary(operation: Operation) -> Verdict | None:
    """None: it has passed."""
    with connection.cursor() as cursor:
        cursor.execute(_CANARY, [operation.pk])
        planned, unfinished, succeeded, failed = cursor.fetchone()
    if planned:
        return Verdict(canary_only=True)
    if unfinished:
        return Verdict(wait=True)
    why = _verdict_on(operation, failed=int(failed), of=int(succeeded + failed))
    return Verdict(pause=f"Canary: {why}") if why else None


_LAST = """
SELECT succeeded + unchanged, failed + scheduled FROM retry_run
WHERE operation_id = %s AND NOT canary AND started_at >= %s
  AND succeeded + unchanged + failed + scheduled > 0
ORDER BY started_at DESC LIMIT 100
"""


def _too_many_failures(operation: Operation) -> str:
    if operation.max_failure_rate is None:
        return ""
    outcomes = failures = 0
    with connection.cursor() as cursor:
        cursor.execute(_LAST, [operation.pk, operation.resumed_at])
        for succeeded, failed in cursor.fetchall():
            outcomes += succeeded + failed
            failures += failed
            if outcomes >= WINDOW:
                break
    if outcomes < FEWEST:
        return ""
    return _verdict_on(operation, failed=failures, of=outcomes)


def _verdict_on(operation: Operation, *, failed: int, of: int) -> str:
    limit = operation.max_failure_rate
    if limit is None or of == 0 or failed <= limit * of:
        return ""
    return f"{failed} of {of} failed, limit {limit:.0%}"
