"""The last outcomes of each kind, read from its runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from entries.kinds.base import Breaker
from entries.text import clean_text
from retry.breaker.judging import Outcomes
from retry.models import BY_NO_WORKER

#: What is older says nothing of now.
SECONDS = 600.0
_LONGEST_MESSAGE = 200

#: Runs at work come first: what they have come to so far is the newest there is. What began before
#: the last hold was lifted tells of the time before.
_RECENT = """
SELECT k.kind, r.id, r.total, r.transient
FROM unnest(%(kinds)s::text[], %(windows)s::int[]) AS k (kind, win)
CROSS JOIN LATERAL (
    SELECT max(h.lifted_at) AS at FROM retry_hold h WHERE h.kind = k.kind
) lifted
CROSS JOIN LATERAL (
    SELECT * FROM (
        (SELECT id, succeeded + failed + scheduled AS total, transient, NULL AS ended_at
         FROM retry_run
         WHERE state = 'running' AND kind = k.kind AND trigger <> ALL(%(others)s)
           AND succeeded + failed + scheduled > 0
           AND (lifted.at IS NULL OR started_at > lifted.at))
        UNION ALL
        (SELECT id, succeeded + failed + scheduled, transient, ended_at
         FROM retry_run
         WHERE kind = k.kind AND ended_at > now() - make_interval(secs => %(seconds)s)
           AND trigger <> ALL(%(others)s) AND succeeded + failed + scheduled > 0
           AND (lifted.at IS NULL OR started_at > lifted.at)
         ORDER BY ended_at DESC LIMIT k.win)
    ) found
    ORDER BY ended_at DESC NULLS FIRST LIMIT k.win
) r
ORDER BY k.kind, r.ended_at DESC NULLS FIRST
"""


@dataclass(frozen=True, slots=True)
class Recent:
    """A kind's runs that have come to something, the newest first."""

    run_ids: Sequence[UUID]
    outcomes: Sequence[Outcomes]


def recent(breakers: Mapping[str, Breaker]) -> Mapping[str, Recent]:
    """By kind, in one query: at most ``window`` runs of each, and no kind without outcomes."""
    found: dict[str, Recent] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            _RECENT,
            {
                "kinds": list(breakers),
                "windows": [breaker.window for breaker in breakers.values()],
                "seconds": SECONDS,
                "others": [trigger.value for trigger in BY_NO_WORKER],
            },
        )
        rows = cursor.fetchall()
    for kind in dict.fromkeys(row[0] for row in rows):
        of_kind = [row for row in rows if row[0] == kind]
        found[kind] = Recent(
            [row[1] for row in of_kind], [Outcomes(row[2], row[3]) for row in of_kind]
        )
    return found


_MOST = """
SELECT (array_agg(a.error_message ORDER BY a.id DESC))[1]
FROM retry_run r
JOIN entries_attempt a ON a.entry_id = ANY(r.entry_ids) AND a.run_id = r.id AND a.transient
WHERE r.id = ANY(%s) GROUP BY a.fingerprint ORDER BY count(*) DESC LIMIT 1
"""


def most_frequent(run_ids: Sequence[UUID]) -> str:
    """The message of the passing fault that was most frequent in these runs, on one line."""
    with connection.cursor() as cursor:
        cursor.execute(_MOST, [list(run_ids)])
        row = cursor.fetchone()
    return clean_text(" ".join(row[0].split()), limit=_LONGEST_MESSAGE) if row else ""
