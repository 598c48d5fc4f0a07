"""The last outcomes of each upstream, as workers have appended them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db import connection

from entries.kinds.base import Breaker
from entries.sql import load
from retry.dispatcher.verdict import Outcomes

_SQL = load(__file__)

#: Older outcomes say nothing about now.
SECONDS = 600.0
#: An upstream is judged for so long after its last transient error: only another can trip it.
_FRESH_SECONDS = 60.0
#: Rows deleted in one statement, and statements in one call.
_BATCH = 5_000
_ROUNDS = 10

#: (kind, upstream), with an empty upstream for a kind that has none.
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RecentOutcomes:
    """An upstream's outcomes as they were written together, the newest first; ``message`` is that
    of the most frequent transient error.
    """

    outcomes: Sequence[Outcomes]
    message: str


def read_recent(
    breakers: Mapping[str, Breaker], *, with_upstreams: Iterable[str]
) -> Mapping[Key, RecentOutcomes]:
    """Read, in one query, at most a breaker's ``window`` of rows for each upstream that had a
    transient error just now. ``with_upstreams``: the kinds that have upstreams.
    """
    by_upstream = set(with_upstreams)
    params: dict[str, Any] = {
        "kinds": list(breakers),
        "windows": [breaker.window for breaker in breakers.values()],
        "by_upstream": [kind in by_upstream for kind in breakers],
        "seconds": SECONDS,
        "fresh": _FRESH_SECONDS,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["recent_outcomes"], params)
        rows = cursor.fetchall()
    grouped = groupby(rows, key=lambda row: (row[0], row[1]))
    return {key: _summarize(list(group)) for key, group in grouped}


def _summarize(rows: Sequence[tuple[str, str, int, int, str]]) -> RecentOutcomes:
    messages: Counter[str] = Counter()
    for *_, transient, message in rows:
        messages[message] += transient
    outcomes = [Outcomes(total, transient) for _, _, total, transient, _ in rows]
    return RecentOutcomes(outcomes, messages.most_common(1)[0][0])


def prune() -> int:
    """Delete rows that are too old to be judged; return how many."""
    pruned = 0
    with connection.cursor() as cursor:
        for _ in range(_ROUNDS):
            cursor.execute(_SQL["prune"], {"batch": _BATCH, "seconds": SECONDS})
            pruned += cursor.rowcount
            if cursor.rowcount < _BATCH:
                break
    return pruned
