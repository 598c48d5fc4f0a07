"""Whether an operation may go on, by the outcomes it has had so far."""

from dataclasses import dataclass

from django.db import connection

from entries.sql import load
from retry.models import Action, Operation, PauseCause
from retry.runs.hold_condition import FRAGMENTS
from retry.runs.plan import dismiss_canary, draw_canary

_SQL = load(__file__, include=FRAGMENTS)

#: How many of the last outcomes are judged, and how few are too few to judge.
WINDOW = 100
FEWEST = 20

#: Entries that may be under way beyond the last judgement however slow they are, and how many
#: seconds' work otherwise.
UNJUDGED = 100
UNJUDGED_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """``pause``: why the operation must pause, empty where it need not, for the ``cause``.

    ``wait``: the canary's outcomes are not complete. ``canary_only``: only the canary may start.
    """

    pause: str = ""
    cause: PauseCause = PauseCause.LIMIT
    wait: bool = False
    canary_only: bool = False


def judge(operation: Operation) -> Verdict:
    """Judge the canary first, then the last outcomes. Notes on the operation that a canary passed.

    In the caller's transaction, which holds the operation's lock.
    """
    if operation.canary_size and not operation.canary_done:
        verdict = _judge_canary(operation)
        if verdict is not None:
            return verdict
        Operation.objects.filter(pk=operation.pk).update(canary_done=True)
        dismiss_canary(operation)
    return Verdict(pause=_judge_last_outcomes(operation))


def _judge_canary(operation: Operation) -> Verdict | None:
    """Return None where the canary has passed."""
    params = {
        "operation": operation.pk,
        "since": operation.canary_since,
        "by_workers": Action(operation.action).by_workers,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["canary_state"], params)
        planned, unfinished, succeeded, failed, on_hold = map(int, cursor.fetchone())
    if planned:
        return Verdict(canary_only=True)
    if unfinished:
        return Verdict(wait=True)
    tried = succeeded + failed
    # A canary whose entries were all skipped proves nothing. Other runs are tried in place of held
    # ones, as long as there are any.
    wanted = 0 if tried and not on_hold else operation.canary_size - tried
    if wanted > 0 and draw_canary(operation, wanted=wanted, held_too=not on_hold):
        return Verdict(canary_only=True)
    if on_hold and not tried:
        return Verdict(canary_only=True)
    why = _compare_to_limit(operation, failed=failed, total=tried)
    return Verdict(pause=f"Canary: {why}", cause=PauseCause.CANARY) if why else None


def _judge_last_outcomes(operation: Operation) -> str:
    if operation.max_failure_rate is None:
        return ""
    total = failed = 0
    params = {"operation": operation.pk, "since": operation.resumed_at}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["last_outcomes"], params)
        for successes, failures in cursor.fetchall():
            total += successes + failures
            failed += failures
            if total >= WINDOW:
                break
    if total < FEWEST:
        return ""
    return _compare_to_limit(operation, failed=failed, total=total)


def _compare_to_limit(operation: Operation, *, failed: int, total: int) -> str:
    limit = operation.max_failure_rate
    if limit is None or total == 0 or failed <= limit * total:
        return ""
    return f"{failed} of {total} failed, limit {limit:.0%}"


@dataclass(frozen=True, slots=True)
class Room:
    """``most``: how many entries may be under way between two judgements, None for any number;
    ``under_way``: how many are.
    """

    most: float | None = None
    under_way: int = 0

    def takes(self, chosen: int, entries: int) -> bool:
        """Return whether ``entries`` more may start besides ``chosen``. A single run may start
        whatever its size where nothing else is under way.
        """
        if self.most is None:
            return True
        busy = self.under_way + chosen
        return busy == 0 or busy + entries <= self.most


def measure_room(operation: Operation) -> Room:
    """Measure how many entries may start before more are judged.

    ``UNJUDGED`` entries, or two seconds' work of the operation's workers, but no more than have
    been judged since the operation was resumed, so that a few quick outcomes do not let thousands
    start. Without a failure limit nothing is bounded.
    """
    if operation.max_failure_rate is None or operation.max_failure_rate >= 1:
        return Room()
    params = {"operation": operation.pk, "since": operation.resumed_at}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["under_way"], params)
        under_way, workers = cursor.fetchone()
        cursor.execute(_SQL["speed"], params)
        done, seconds, judged = map(float, cursor.fetchone())
    work = UNJUDGED_SECONDS * max(int(workers), 1) * done / seconds if seconds else 0.0
    return Room(max(UNJUDGED, min(work, judged)), int(under_way))
