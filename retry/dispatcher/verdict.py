"""Whether an upstream has to be put on hold, by its last outcomes; pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from entries.kinds.base import Breaker


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many entries were processed, and how many of them failed by a passing fault."""

    total: int
    transient: int


def last(runs: Iterable[Outcomes], *, window: int) -> Outcomes:
    """Of ``runs``, the newest first, so many as it takes for ``window`` outcomes.

    What was written together counts whole: nothing says which came first.
    """
    total = transient = 0
    for run in runs:
        total += run.total
        transient += run.transient
        if total >= window:
            break
    return Outcomes(total, transient)


def trips(runs: Iterable[Outcomes], *, breaker: Breaker) -> Outcomes | None:
    """The outcomes that trip the breaker; None where they are too few, or mostly of another kind.

    ``runs``: the newest first.
    """
    seen = last(runs, window=breaker.window)
    if seen.total < breaker.window or seen.transient < breaker.share * seen.total:
        return None
    return seen


def words(seen: Outcomes, *, message: str) -> str:
    """``19 of the last 20 outcomes failed by a passing fault, most: HTTP 503``"""
    of = f"{seen.transient:,} of the last {seen.total:,} outcomes failed by a passing fault"
    return f"{of}, most: {message}" if message else of
