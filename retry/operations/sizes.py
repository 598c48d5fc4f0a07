"""How many entries make a run, by how long the kind's entries have been taking."""

from collections.abc import Mapping

from django.db import connection

from entries.kinds import registry
from entries.kinds.base import Kind
from entries.sql import load
from retry.runs.plan import RunSize

#: Long enough to pay for its RQ job, short enough to be paused, rescued and watched.
TARGET_SECONDS = 10.0
LARGEST = 500
#: Where a failure limit bounds what may be under way, which several workers share.
JUDGED_SECONDS = 1.0
LARGEST_JUDGED = 50
#: Where payloads are rewritten as a run is started: some seconds' work of the dispatcher if each
#: payload is as large as it may be.
LARGEST_REWRITTEN = 100

_SQL = load(__file__)


def choose_sizes(
    *, rate: float | None = None, judged: bool = False, largest: int = LARGEST
) -> list[RunSize]:
    """Return one size for every kind; a kind without finished runs gets its ``run_size``.

    No run is larger than ``largest``.

    No run is smaller than what its kind has under way at once.

    With a ``rate`` (entries per second) no run holds more than one second's worth, so that the
    pace is even. Where a failure limit ``judged`` the outcomes, a run holds one second's worth as
    well, and at most 50 entries.
    """
    seconds = read_seconds()
    return [
        RunSize(
            name,
            _cap(min(_fit(seconds.get(name), kind=kind, judged=judged), largest), rate),
            kind.bulk_queue,
        )
        for name, kind in registry.all_kinds().items()
    ]


def read_seconds() -> Mapping[str, float]:
    """Read for each kind how long a worker lately took for an entry."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["seconds_by_kind"])
        return {kind: float(took) / int(done) for kind, took, done in cursor.fetchall()}


def _fit(seconds: float | None, *, kind: type[Kind], judged: bool) -> int:
    largest, target = (LARGEST_JUDGED, JUDGED_SECONDS) if judged else (LARGEST, TARGET_SECONDS)
    fitting = kind.run_size if seconds is None else int(target / max(seconds, 0.001))
    return min(largest, max(fitting, kind.concurrency))


def _cap(entries: int, rate: float | None) -> int:
    return entries if rate is None else max(1, min(entries, int(rate)))
