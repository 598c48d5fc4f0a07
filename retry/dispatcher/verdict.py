"""Whether an upstream has to be put on hold, by its last outcomes; without a database."""

from collections.abc import Iterable
from dataclasses import dataclass

from entries.kinds.base import Breaker
from retry.sentences import UPSTREAM_FAILS, UPSTREAM_FAILS_MOSTLY


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many entries were processed, and how many of them failed with a transient error."""

    total: int
    transient: int


def sum_window(rows: Iterable[Outcomes], *, window: int) -> Outcomes:
    """Sum ``rows``, the newest first, until ``window`` outcomes are reached.

    A row counts whole, because the order of the outcomes in it is not known.
    """
    total = transient = 0
    for row in rows:
        total += row.total
        transient += row.transient
        if total >= window:
            break
    return Outcomes(total, transient)


def judge(rows: Iterable[Outcomes], *, breaker: Breaker) -> Outcomes | None:
    """Return the outcomes that trip the breaker; None where they are too few, or too few of them
    are transient errors. ``rows``: the newest first.
    """
    seen = sum_window(rows, window=breaker.window)
    if seen.total < breaker.window or seen.transient < breaker.share * seen.total:
        return None
    return seen


def describe(seen: Outcomes, *, message: str) -> str:
    """Return ``19 of the last 20 outcomes failed with a transient error, most: HTTP 503``."""
    said = {"transient": seen.transient, "total": seen.total}
    if not message:
        return UPSTREAM_FAILS(**said)
    return UPSTREAM_FAILS_MOSTLY(message=message, **said)
