"""The last outcomes of each upstream, as workers have appended them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db import connection

from entries.kinds.base import Breaker
from retry.dispatcher.verdict import Outcomes

#: What is older says nothing of now.
SECONDS = 600.0
#: An upstream is looked at for so long after its last passing fault: only another can trip it.
_FRESH_SECONDS = 60.0
#: Rows that are deleted in one statement, and statements in one go.
_BATCH = 5_000
_ROUNDS = 10

#: Of an upstream as (kind, upstream); upstream is empty for a kind without any.
Key = tuple[str, str]

#: What began before the last hold was lifted tells of the time before. Of the rows of a kind that
#: has upstreams, those without one are left out: nothing is known that they share.
_RECENT = """
WITH judged AS (
    SELECT DISTINCT t.kind, t.upstream, k.win
    FROM retry_outcometally t
    JOIN unnest(%(kinds)s::text[], %(windows)s::int[], %(parted)s::boolean[])
        AS k (kind, win, parted) ON k.kind = t.kind
    WHERE t.transient > 0 AND t.at > now() - make_interval(secs => %(fresh)s)
      AND k.parted = (t.upstream <> '')
)
SELECT j.kind, j.upstream, r.total, r.transient, r.message
FROM judged j
CROSS JOIN LATERAL (
    SELECT max(h.lifted_at) AS at FROM retry_hold h
    WHERE h.kind = j.kind AND h.upstream IN ('', j.upstream)
) lifted
CROSS JOIN LATERAL (
    SELECT t.id, t.total, t.transient, t.message FROM retry_outcometally t
    WHERE t.kind = j.kind AND t.upstream = j.upstream
      AND t.at > now() - make_interval(secs => %(seconds)s)
      AND (lifted.at IS NULL OR t.began_at > lifted.at)
    ORDER BY t.id DESC LIMIT j.win
) r
ORDER BY j.kind, j.upstream, r.id DESC
"""


@dataclass(frozen=True, slots=True)
class Recent:
    """An upstream's outcomes, as they were written together, the newest first."""

    outcomes: Sequence[Outcomes]
    #: Of the most frequent passing fault.
    message: str


def recent(breakers: Mapping[str, Breaker], *, parted: Iterable[str]) -> Mapping[Key, Recent]:
    """By upstream, in one query: at most ``window`` rows of each, and only of those that had a
    passing fault just now. ``parted``: the kinds that have upstreams.
    """
    with_upstreams = set(parted)
    with connection.cursor() as cursor:
        cursor.execute(
            _RECENT,
            {
                "kinds": list(breakers),
                "windows": [breaker.window for breaker in breakers.values()],
                "parted": [kind in with_upstreams for kind in breakers],
                "seconds": SECONDS,
                "fresh": _FRESH_SECONDS,
            },
        )
        rows = cursor.fetchall()
    grouped = groupby(rows, key=lambda row: (row[0], row[1]))
    return {key: _recent(list(group)) for key, group in grouped}


def _recent(rows: Sequence[tuple[str, str, int, int, str]]) -> Recent:
    messages: Counter[str] = Counter()
    for *_, transient, message in rows:
        messages[message] += transient
    outcomes = [Outcomes(total, transient) for _, _, total, transient, _ in rows]
    return Recent(outcomes, messages.most_common(1)[0][0])


_PRUNE = """
WITH oldest AS (
    SELECT id FROM (SELECT id, at FROM retry_outcometally ORDER BY id LIMIT %(batch)s) t
    WHERE t.at < now() - make_interval(secs => %(seconds)s)
)
DELETE FROM retry_outcometally WHERE id IN (SELECT id FROM oldest)
"""


def prune() -> int:
    """Delete what says nothing any more; returns how many rows."""
    pruned = 0
    with connection.cursor() as cursor:
        for _ in range(_ROUNDS):
            cursor.execute(_PRUNE, {"batch": _BATCH, "seconds": SECONDS})
            pruned += cursor.rowcount
            if cursor.rowcount < _BATCH:
                break
    return pruned
