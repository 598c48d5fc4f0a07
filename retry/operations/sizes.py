"""How many entries make a run, by how long the kind's entries have been taking."""

from dataclasses import dataclass

from django.db import connection

from entries.kinds import registry

#: Long enough to pay for its RQ job, short enough to be paused, rescued and watched.
TARGET_SECONDS = 10.0
LARGEST = 500


@dataclass(frozen=True, slots=True)
class Size:
    kind: str
    entries: int
    queue: str


_MEASURED = """
SELECT kind, sum(extract(epoch FROM ended_at - started_at)), sum(succeeded + failed + scheduled)
FROM (
    SELECT kind, started_at, ended_at, succeeded, failed, scheduled,
           row_number() OVER (PARTITION BY kind ORDER BY created_at DESC) AS place
    FROM (SELECT * FROM retry_run ORDER BY created_at DESC LIMIT 2000) newest
    WHERE state = 'finished' AND started_at IS NOT NULL AND succeeded + failed + scheduled > 0
) r
WHERE place <= 50 GROUP BY kind
"""


def sizes(*, rate: float | None = None) -> list[Size]:
    """One for every kind. A kind without finished runs gets its ``run_size``.

    With a ``rate`` (entries per second) no run holds more than a second's worth, so that the pace
    is kept from one second to the next.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEASURED)
        seconds = {kind: float(took) / int(done) for kind, took, done in cursor.fetchall()}
    return [
        Size(
            name, _capped(_fitting(seconds.get(name), default=kind.run_size), rate), kind.bulk_queue
        )
        for name, kind in registry.all_kinds().items()
    ]


def _fitting(seconds: float | None, *, default: int) -> int:
    if seconds is None:
        return default
    return max(1, min(LARGEST, int(TARGET_SECONDS / max(seconds, 0.001))))


def _capped(entries: int, rate: float | None) -> int:
    return entries if rate is None else max(1, min(entries, int(rate)))
