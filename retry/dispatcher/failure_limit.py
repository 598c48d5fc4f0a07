"""Whether an operation may go on, by the outcomes it has had so far."""

from dataclasses import dataclass

from django.db import connection

from retry.holds.condition import RUN_IS_HELD
from retry.models import Action, Operation, PauseCause
from retry.operations import canary

#: How many of the last outcomes are looked at, and how few say nothing yet.
WINDOW = 100
FEWEST = 20


@dataclass(frozen=True, slots=True)
class Verdict:
    """``pause``: why it must stop, and ``cause`` what stops it. ``wait``: the canary's outcomes
    are not all there yet. ``canary_only``: nothing but the canary may start.
    """

    pause: str = ""
    cause: PauseCause = PauseCause.LIMIT
    wait: bool = False
    canary_only: bool = False


def judge(operation: Operation) -> Verdict:
    """Look at the canary first, then at the last outcomes. Notes a canary that has passed."""
    if operation.canary_size and not operation.canary_done:
        verdict = _judge_canary(operation)
        if verdict is not None:
            return verdict
        Operation.objects.filter(pk=operation.pk).update(canary_done=True)
        canary.dismiss(operation)
    return Verdict(pause=_too_many_failures(operation))


# What is on hold will have no outcome for as long as that takes.
_CANARY = f"""
SELECT count(*) FILTER (WHERE state = 'planned' AND NOT on_hold),
       count(*) FILTER (WHERE state = 'running' OR state = 'queued' AND NOT on_hold),
       coalesce(sum(succeeded + unchanged), 0), coalesce(sum(failed + scheduled), 0),
       count(*) FILTER (WHERE state IN ('planned', 'queued') AND on_hold)
FROM (
    SELECT *, %(by_workers)s AND {RUN_IS_HELD} AS on_hold FROM retry_run
    WHERE operation_id = %(operation)s AND canary
      -- Those that were there before it was drawn anew belong to an earlier one.
      AND (%(since)s::timestamptz IS NULL OR ended_at IS NULL OR ended_at >= %(since)s)
) r
"""  # noqa: S608 - a condition of our own


def _judge_canary(operation: Operation) -> Verdict | None:
    """None: it has passed."""
    params = {
        "operation": operation.pk,
        "since": operation.canary_since,
        "by_workers": Action(operation.action).by_workers,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CANARY, params)
        planned, unfinished, succeeded, failed, on_hold = map(int, cursor.fetchone())
    if planned:
        return Verdict(canary_only=True)
    if unfinished:
        return Verdict(wait=True)
    tried = succeeded + failed
    # One of which nothing was tried (somebody else was faster) has shown nothing; and for what
    # waits for a hold others go, as long as there are any.
    wanted = 0 if tried and not on_hold else operation.canary_size - tried
    if wanted > 0 and canary.draw(operation, wanted=wanted, held_too=not on_hold):
        return Verdict(canary_only=True)
    if on_hold and not tried:
        return Verdict(canary_only=True)
    why = _verdict_on(operation, failed=failed, of=tried)
    return Verdict(pause=f"Canary: {why}", cause=PauseCause.CANARY) if why else None


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


#: Entries that may be under way beyond the last judgement however slow they are, and how many
#: seconds' work otherwise.
UNJUDGED = 100
UNJUDGED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Room:
    """How many entries may be ``under_way`` between two judgements; ``most`` None: any number."""

    most: float | None = None
    under_way: int = 0

    def takes(self, chosen: int, entries: int) -> bool:
        """Whether ``entries`` more may start beside ``chosen``; what is alone always may."""
        if self.most is None:
            return True
        busy = self.under_way + chosen
        return busy == 0 or busy + entries <= self.most


# What waits for a hold cannot fail now: it keeps no place from the others.
_UNDER_WAY = f"""
SELECT coalesce(sum(size - skipped_count - handed_on
                    - succeeded - failed - scheduled - unchanged - cancelled)
                FILTER (WHERE state = 'running' OR NOT {RUN_IS_HELD}), 0),
       count(*) FILTER (WHERE state = 'running')
FROM retry_run WHERE operation_id = %s AND state IN ('queued', 'running')
"""  # noqa: S608 - a condition of our own

_SPEED = """
SELECT coalesce(sum(done), 0), coalesce(sum(seconds), 0), (
    SELECT coalesce(sum(succeeded + failed + scheduled + unchanged), 0) FROM retry_run
    WHERE operation_id = %(operation)s AND started_at >= %(since)s)
FROM (
    SELECT succeeded + failed + scheduled + unchanged AS done,
           extract(epoch FROM coalesce(ended_at, clock_timestamp()) - started_at) AS seconds
    FROM retry_run
    WHERE operation_id = %(operation)s AND started_at IS NOT NULL
      AND succeeded + failed + scheduled + unchanged > 0
    ORDER BY started_at DESC LIMIT 20
) r
"""


def room(operation: Operation) -> Room:
    """Bound what can fail before it is judged: ``UNJUDGED`` entries, or two seconds' work of the
    workers that are at it, and then no more than have been judged since it last went on, so that
    a few quick outcomes let no thousands go. Without a failure limit nothing is bounded.
    """
    if operation.max_failure_rate is None or operation.max_failure_rate >= 1:
        return Room()
    with connection.cursor() as cursor:
        cursor.execute(_UNDER_WAY, [operation.pk])
        under_way, workers = cursor.fetchone()
        cursor.execute(_SPEED, {"operation": operation.pk, "since": operation.resumed_at})
        done, seconds, judged = map(float, cursor.fetchone())
    work = UNJUDGED_SECONDS * max(int(workers), 1) * done / seconds if seconds else 0.0
    most = max(UNJUDGED, min(work, judged))
    return Room(most, int(under_way))
