"""Whether an operation may go on, by the outcomes it has had so far."""

from dataclasses import dataclass

from django.db import connection
from django.db.models.functions import Now

from entries.sql import load
from retry.models import Action, Operation, PauseCause
from retry.runs.canary import dismiss_canary, draw_canary
from retry.runs.hold_condition import FRAGMENTS
from retry.sentences import CANARY_FAILED, LIMIT_REACHED, STEP_FAILED

_SQL = load(__file__, include=FRAGMENTS)

#: How many of the last outcomes are judged, and how few are too few to judge.
WINDOW = 100
FEWEST = 20

#: Entries that may be under way beyond the last judgement however slow they are, and how many
#: seconds' work otherwise.
UNJUDGED = 100
UNJUDGED_SECONDS = 2.0
#: In how many of the last runs outcomes are counted before more are looked at.
_COUNTED_FIRST = 50


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
    """Judge the canary or the step of the ramp first, then the last outcomes. Notes on the
    operation that a canary passed, and draws the next step.

    In the caller's transaction, which holds the operation's lock.
    """
    if operation.canary_size and not operation.canary_done:
        verdict = _judge_canary(operation)
        if verdict is not None:
            return verdict
        dismiss_canary(operation)
        if _draw_next_step(operation):
            return Verdict(canary_only=True)
        Operation.objects.filter(pk=operation.pk).update(canary_done=True)
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
    if planned or unfinished:
        # What is larger than the window is judged on its way, like the rest.
        why = _judge_last_outcomes(operation, canary=True) if operation.step_size > WINDOW else ""
        if why:
            return _pause(why)
        return Verdict(canary_only=True) if planned else Verdict(wait=True)
    tried = succeeded + failed
    # A canary whose entries were all skipped proves nothing. Other runs are tried in place of held
    # ones, as long as there are any.
    wanted = 0 if tried and not on_hold else operation.step_size - tried
    if wanted > 0 and draw_canary(operation, wanted=wanted, held_too=not on_hold):
        return Verdict(canary_only=True)
    if on_hold and not tried:
        return Verdict(canary_only=True)
    why = _compare_to_limit(operation, failed=failed, total=tried, canary=True)
    return _pause(why) if why else None


def _pause(why: str) -> Verdict:
    return Verdict(pause=why, cause=PauseCause.CANARY)


def _draw_next_step(operation: Operation) -> bool:
    """Draw the step of the ramp after the one that has just passed; tell whether there is any."""
    following = operation.ramp_step + 1
    if following >= len(operation.ramp):
        return False
    # The outcomes of the steps before have ended by now, so they do not count for this one.
    Operation.objects.filter(pk=operation.pk).update(ramp_step=following, canary_since=Now())
    operation.refresh_from_db()
    return draw_canary(operation, wanted=operation.step_size) > 0


def _judge_last_outcomes(operation: Operation, *, canary: bool = False) -> str:
    if operation.max_failure_rate is None:
        return ""
    total = failed = 0
    since = operation.resumed_at
    if canary and operation.canary_since is not None:
        since = operation.canary_since
    params = {"operation": operation.pk, "since": since, "canary": canary}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["last_outcomes"], params)
        for successes, failures in cursor.fetchall():
            total += successes + failures
            failed += failures
            if total >= WINDOW:
                break
    if total < FEWEST:
        return ""
    return _compare_to_limit(operation, failed=failed, total=total, canary=canary)


def _compare_to_limit(operation: Operation, *, failed: int, total: int, canary: bool) -> str:
    limit = operation.max_failure_rate
    if limit is None or total == 0 or failed <= limit * total:
        return ""
    said = {"failed": failed, "total": total, "limit": f"{limit:.0%}"}
    if not canary:
        return LIMIT_REACHED(**said)
    if operation.ramp:
        return STEP_FAILED(size=operation.step_size, **said)
    return CANARY_FAILED(**said)


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
    params = {"operation": operation.pk}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["under_way"], params)
        under_way, workers = cursor.fetchone()
        cursor.execute(_SQL["speed"], params)
        done, seconds = map(float, cursor.fetchone())
    work = UNJUDGED_SECONDS * max(int(workers), 1) * done / seconds if seconds else 0.0
    most = min(work, _count_judged(operation, enough=work)) if work > UNJUDGED else UNJUDGED
    return Room(max(UNJUDGED, most), int(under_way))


def _count_judged(operation: Operation, *, enough: float) -> int:
    """Count the outcomes since the operation was resumed, or so many of the last ones that they
    are ``enough``: how many there were before these makes no difference.
    """
    runs = _COUNTED_FIRST
    while True:
        params = {"operation": operation.pk, "since": operation.resumed_at, "runs": runs}
        with connection.cursor() as cursor:
            cursor.execute(_SQL["judged"], params)
            judged, found = map(int, cursor.fetchone())
        if judged >= enough or found < runs:
            return judged
        runs *= 4
