"""What succeeded and failed over a time, in buckets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from django.db import connection

from entries.sql import load
from retry.outcome_history.scope import Scope

_SQL = load(__file__)
FRAGMENTS = _SQL.fragments


class Period(Enum):
    """A time up to now, and the length of its buckets."""

    DAY = "24h", timedelta(hours=1), 24
    WEEK = "7d", timedelta(hours=6), 28
    MONTH = "30d", timedelta(days=1), 30

    def __init__(self, code: str, width: timedelta, buckets: int) -> None:
        self.code = code
        self.width = width
        self.buckets = buckets

    @classmethod
    def parse(cls, code: str) -> "Period":
        """Return the period of that code, and the last day for any other text."""
        return next((period for period in cls if period.code == code), cls.DAY)

    def begin(self, now: datetime) -> datetime:
        """Return when the first bucket begins; the last one contains ``now``. Days are UTC."""
        moment = now.astimezone(UTC)
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        passed = (moment - midnight) // self.width
        return midnight + (passed + 1 - self.buckets) * self.width


@dataclass(frozen=True, slots=True)
class Bucket:
    """What ended from ``begin`` to before ``end``."""

    begin: datetime
    end: datetime
    succeeded: int
    failed: int


def read_series(
    period: Period,
    *,
    scope: Scope,
    now: datetime,
    kind: str | None = None,
    source_id: int | None = None,
) -> Sequence[Bucket]:
    """Return all buckets of a period, the oldest first, with zeros where nothing ended.

    ``read_failures_alike`` does so for fingerprints.
    """
    begin = period.begin(now)
    params = {
        "since": begin,
        "seconds": period.width.total_seconds(),
        "kind": kind,
        "source": source_id,
        **scope.as_params(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SQL["series"], params)
        found = {row[0]: row[1:] for row in cursor.fetchall()}
    starts = [begin + number * period.width for number in range(period.buckets)]
    return [
        Bucket(start, start + period.width, *(int(count) for count in found.get(start, (0, 0))))
        for start in starts
    ]


def read_failures_alike(
    fingerprints: Sequence[str], period: Period, *, scope: Scope, now: datetime
) -> Mapping[str, Sequence[int]]:
    """Return for each fingerprint the failures in each bucket of a period."""
    begin = period.begin(now)
    params = {
        "since": begin,
        "seconds": period.width.total_seconds(),
        "fingerprints": list(fingerprints),
        **scope.as_params(),
    }
    found = {fingerprint: [0] * period.buckets for fingerprint in fingerprints}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["series_alike"], params)
        for fingerprint, bucket, count in cursor.fetchall():
            place = (bucket - begin) // period.width
            if place < period.buckets:
                found[fingerprint][place] = int(count)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class FrequentFailure:
    """Attempts that failed alike; ``kind`` and ``upstreams`` are some of theirs."""

    fingerprint: str
    count: int
    kind: str
    upstreams: Sequence[str]
    sample_entry_id: int | None


def find_most_frequent(since: datetime, *, scope: Scope, most: int) -> Sequence[FrequentFailure]:
    """Return what failed most since a moment, the most frequent first."""
    params: dict[str, Any] = {"since": since, "most": most, **scope.as_params()}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["most_frequent"], params)
        return [
            FrequentFailure(
                fingerprint=fingerprint,
                count=int(count),
                kind=kind,
                upstreams=tuple(upstreams),
                sample_entry_id=sample,
            )
            for fingerprint, count, kind, sample, upstreams in cursor.fetchall()
        ]
