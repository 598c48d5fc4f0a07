"""How many entries make a run, by how long the kind's entries have been taking."""

from django.db import connection

from entries.kinds import registry
from retry.runs.plan import RunSize

#: Long enough to pay for its RQ job, short enough to be paused, rescued and watched.
TARGET_SECONDS = 10.0
LARGEST = 500
#: Where a failure limit bounds what may be under way: several workers share that.
JUDGED_SECONDS = 1.0
LARGEST_JUDGED = 50


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


def sizes(*, rate: float | None = None, judged: bool = False) -> list[RunSize]:
    """One for every kind. A kind without finished runs gets its ``run_size``.

    With a ``rate`` (entries per second) no run holds more than a second's worth, so that the pace
    is kept from one second to the next; nor where outcomes are ``judged`` by a failure limit, and
    then 50 entries at the most.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MEASURED)
        seconds = {kind: float(took) / int(done) for kind, took, done in cursor.fetchall()}
    return [
        RunSize(
            name,
            _capped(_fitting(seconds.get(name), default=kind.run_size, judged=judged), rate),
            kind.bulk_queue,
        )
        for name, kind in registry.all_kinds().items()
    ]


def _fitting(seconds: float | None, *, default: int, judged: bool) -> int:
    largest, target = (LARGEST_JUDGED, JUDGED_SECONDS) if judged else (LARGEST, TARGET_SECONDS)
    if seconds is None:
        return min(default, largest)
    return max(1, min(largest, int(target / max(seconds, 0.001))))


def _capped(entries: int, rate: float | None) -> int:
    return entries if rate is None else max(1, min(entries, int(rate)))
