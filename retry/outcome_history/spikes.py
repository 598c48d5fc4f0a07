"""Spikes: many more failures than usual at this time of day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from django.core.cache import cache
from django.db import connection

from entries.sql import load
from retry.outcome_history.scope import Scope
from retry.outcome_history.series import FRAGMENTS, FrequentFailure, find_most_frequent

_SQL = load(__file__, include=FRAGMENTS)

#: An hour with more failures than so many times the usual number is a spike.
FACTOR = 3
#: So few failures in an hour are none, however few are usual.
FLOOR = 20
#: The same hour of so many days before tells what is usual.
DAYS = 7
#: A spike is shown for so long after its last hour.
SHOWN_HOURS = 12
#: Without a failure for longer it is over.
QUIET = timedelta(minutes=10)

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
#: Part of the worst minute's failures.
_BEGINNING = 0.05
#: What is usual at an hour changes once in an hour.
_USUAL_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Spike:
    """More failures than usual. ``until``: the last one's minute, None while it lasts.

    ``usual`` is the number of failures that an hour usually has at that time of day, and ``main``
    what failed most.
    """

    since: datetime
    until: datetime | None
    count: int
    usual: int
    main: FrequentFailure | None


def find_spike(*, scope: Scope, now: datetime) -> Spike | None:
    """Find the newest spike of the last hours; None where there is none."""
    if scope.is_empty:
        return None
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    counts = _read_hours(this_hour - SHOWN_HOURS * _HOUR, this_hour + _HOUR, scope=scope)
    usual = _read_usual(this_hour, scope=scope)
    spiking = {hour for hour, count in counts.items() if _is_spike(count, usual.get(hour, 0))}
    if not spiking:
        return None
    first = max(spiking)
    while first - _HOUR in spiking:
        first -= _HOUR
    return _describe(first, usual=usual.get(first, 0), scope=scope, now=now)


def read_usual(hour: datetime, *, scope: Scope) -> int:
    """Return how many failures are usual in an hour of that time of day."""
    return _read_usual(hour, scope=scope).get(hour, 0)


def count_failures(since: datetime, until: datetime, *, scope: Scope) -> int:
    """Count what failed in a time, from the beginning of its first minute."""
    since = since.replace(second=0, microsecond=0)
    return sum(count for _, count in _read_minutes(since, until, scope=scope))


def _is_spike(count: int, usual: int) -> bool:
    return count > max(FACTOR * usual, FLOOR)


def _describe(first: datetime, *, usual: int, scope: Scope, now: datetime) -> Spike:
    minutes = _read_minutes(first, now + _HOUR, scope=scope)
    # It begins with the first minute that is neither usual nor small beside its worst one.
    worst = max((count for _, count in minutes), default=0)
    enough = max(FACTOR * usual / 60, worst * _BEGINNING, 1)
    since = next((at for at, count in minutes if count >= enough), first)
    last = minutes[-1][0] if minutes else first
    most = find_most_frequent(since, scope=scope, most=1)
    return Spike(
        since=since,
        until=last if now - last > QUIET else None,
        count=sum(count for at, count in minutes if at >= since),
        usual=usual,
        main=most[0] if most else None,
    )


def _read_usual(this_hour: datetime, *, scope: Scope) -> Mapping[datetime, int]:
    """Return what is usual in each of the last hours, by the days before."""
    key = f"redrive.usual.{this_hour:%Y%m%d%H}.{scope.key}"
    known: Mapping[datetime, int] | None = cache.get(key)
    if known is None:
        begin = this_hour - SHOWN_HOURS * _HOUR - DAYS * _DAY
        counts = _read_hours(begin, this_hour - timedelta(hours=23), scope=scope)
        known = {
            hour: int(
                median(counts.get(hour - timedelta(days=day), 0) for day in range(1, DAYS + 1))
            )
            for hour in (this_hour - number * _HOUR for number in range(SHOWN_HOURS + 1))
        }
        cache.set(key, known, _USUAL_SECONDS)
    return known


def _read_hours(since: datetime, until: datetime, *, scope: Scope) -> Mapping[datetime, int]:
    params = {"since": since, "until": until, **scope.as_params()}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["failed_by_hour"], params)
        return {hour: int(count) for hour, count in cursor.fetchall()}


def _read_minutes(since: datetime, until: datetime, *, scope: Scope) -> list[tuple[datetime, int]]:
    params = {"since": since, "until": until, **scope.as_params()}
    with connection.cursor() as cursor:
        cursor.execute(_SQL["failed_by_minute"], params)
        return [(at, int(count)) for at, count in cursor.fetchall()]
