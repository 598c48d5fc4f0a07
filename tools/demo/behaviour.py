"""The behaviour of each page of the demo's upstream.

It depends on the page's number alone, so that the same entries fail at every start, and is spread
evenly, so that every screenful of the list shows some of each.
"""

from collections import Counter
from enum import StrEnum


class Behaviour(StrEnum):
    FAILS = "fails"
    HANGS = "hangs"
    GONE = "gone"
    WORKS = "works"


# Of each hundred pages in a row. Missing pages stay missing when the rest is repaired.
FAILS, HANGS, GONE = 30, 2, 5

# Has no common divisor with 100, so that a hundred numbers in a row give each remainder once.
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
    """Count the pages 1 to `entries` by behaviour."""
    counts = Counter(behaviour(number, broken=broken) for number in range(1, entries + 1))
    return {kind: counts[kind] for kind in Behaviour}
