"""Outcome counts: rows that workers append for the breaker."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import connection

from entries.kinds import registry
from entries.sql import load
from entries.text import one_line
from entries.transitions import Outcome

_SQL = load(__file__)
_LONGEST_MESSAGE = 200


def append(outcomes: Iterable[Outcome], *, kind: str, began_at: datetime | None) -> None:
    """Append one row for each upstream among the outcomes, in the transaction that writes them.

    ``began_at`` is when their run started. Does nothing for a kind without a breaker.
    """
    if not _has_breaker(kind):
        return
    by_upstream: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_upstream[outcome.upstream].append(outcome)
    params = {
        "kind": kind,
        "began_at": began_at,
        "upstreams": list(by_upstream),
        "totals": [len(found) for found in by_upstream.values()],
        "transients": [sum(o.transient for o in found) for found in by_upstream.values()],
        "messages": [_find_most_frequent(found) for found in by_upstream.values()],
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["append"], params)


def _has_breaker(kind: str) -> bool:
    found = registry.find(kind)
    return found is not None and found.breaker is not None


def _find_most_frequent(outcomes: Iterable[Outcome]) -> str:
    """Return the message of the most frequent transient error, on one line."""
    found = Counter(o.error.message for o in outcomes if o.transient and o.error is not None)
    return one_line(found.most_common(1)[0][0], limit=_LONGEST_MESSAGE) if found else ""
