"""How the demo's upstream treats each of its pages; pure.

Fixed by the number of the page, so that the same entries fail at every start, and spread evenly,
so that every screenful of the changelist shows some of each.
"""

from collections import Counter
from enum import StrEnum


class Behaviour(StrEnum):
    FAILS = "fails"
    HANGS = "hangs"
    GONE = "gone"
    WORKS = "works"


# Of each hundred pages in a row. What is gone stays gone when the rest is repaired.
FAILS, HANGS, GONE = 30, 2, 5

# Without a common divisor with 100, so that a hundred numbers in a row meet each remainder once.
STRIDE = 37


def behaviour(number: int, *, broken: bool) -> Behaviour:
    place = number * STRIDE % 100
    if place < FAILS:
        return Behaviour.FAILS if broken else Behaviour.WORKS
    if place < FAILS + HANGS:
        return Behaviour.HANGS if broken else Behaviour.WORKS
    if place < FAILS + HANGS + GONE:
        return Behaviour.GONE
    return Behaviour.WORKS


def tally(entries: int, *, broken: bool) -> dict[Behaviour, int]:
    """How many of the pages 1 to `entries` behave in each way."""
    found = Counter(behaviour(number, broken=broken) for number in range(1, entries + 1))
    return {kind: found[kind] for kind in Behaviour}
