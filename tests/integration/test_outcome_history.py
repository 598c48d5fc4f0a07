"""Series and spikes, read from the counts, for who may see what."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.utils import timezone

from retry.models import Span
from retry.outcome_history.scope import EVERYTHING, Scope, find_scope
from retry.outcome_history.series import (
    Period,
    find_most_frequent,
    read_failures_alike,
    read_series,
)
from retry.outcome_history.spikes import FLOOR, find_spike
from retry.outcomes import Actor, Channel
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.counts import add_count
from tests.support.hiding import only_source
from tests.support.outages import UPSTREAM, add_history, add_outage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
NOW = datetime(2026, 3, 5, 14, 40, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_cache() -> None:
    cache.clear()


def test_a_series_has_every_bucket_and_sums_all_spans() -> None:
    hour = NOW.replace(minute=0, second=0)
    add_count(3, at=hour, fingerprint="1-a")
    add_count(4, at=hour + timedelta(minutes=20), kind="other", source_id=7)
    add_count(10, at=hour - HOUR, span=Span.HOUR, fingerprint="1-b")
    add_count(100, at=hour - 30 * HOUR, span=Span.HOUR)
    buckets = read_series(Period.DAY, scope=EVERYTHING, now=NOW)
    assert (len(buckets), buckets[-1].begin, buckets[-1].end) == (24, hour, hour + HOUR)
    assert [(b.succeeded, b.failed) for b in buckets[-3:]] == [(0, 0), (0, 10), (4, 3)]
    assert sum(b.succeeded for b in buckets) == 4, "what is older is not in it"
    of_kind = read_series(Period.DAY, scope=EVERYTHING, now=NOW, kind="other")
    assert sum(b.succeeded + b.failed for b in of_kind) == 4
    of_source = read_series(Period.DAY, scope=EVERYTHING, now=NOW, source_id=7)
    assert sum(b.succeeded + b.failed for b in of_source) == 4


@pytest.mark.parametrize(
    ("period", "buckets", "width"),
    [(Period.DAY, 24, HOUR), (Period.WEEK, 28, 6 * HOUR), (Period.MONTH, 30, 24 * HOUR)],
)
def test_the_last_bucket_of_a_period_contains_now(
    period: Period, buckets: int, width: timedelta
) -> None:
    found = read_series(period, scope=EVERYTHING, now=NOW)
    assert len(found) == buckets
    assert found[-1].begin <= NOW < found[-1].end
    assert {bucket.end - bucket.begin for bucket in found} == {width}


def test_failures_that_are_alike_have_a_series_of_their_own() -> None:
    hour = NOW.replace(minute=0, second=0)
    add_count(3, at=hour, fingerprint="1-a")
    add_count(2, at=hour - HOUR, span=Span.HOUR, fingerprint="1-a", kind="other")
    add_count(5, at=hour, fingerprint="1-b")
    found = read_failures_alike(["1-a", "1-c"], Period.DAY, scope=EVERYTHING, now=NOW)
    assert list(found["1-a"][-2:]) == [2, 3]
    assert (len(found["1-a"]), sum(found["1-c"])) == (24, 0)
    (most,) = find_most_frequent(hour - HOUR, scope=EVERYTHING, most=1)
    assert (most.fingerprint, most.count) == ("1-a", 5)


def test_a_spike_is_more_than_three_times_the_usual_of_that_hour() -> None:
    add_history(usual=10)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    add_count(30, at=hour, fingerprint="1-a")
    assert find_spike(scope=EVERYTHING, now=timezone.now()) is None
    cache.clear()
    add_count(1, at=hour, fingerprint="1-b")
    spike = find_spike(scope=EVERYTHING, now=timezone.now())
    assert spike is not None
    assert (spike.count, spike.usual) == (31, 10)


def test_a_few_failures_at_night_are_none() -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    add_count(FLOOR, at=hour, fingerprint="1-a")
    assert find_spike(scope=EVERYTHING, now=timezone.now()) is None


def test_a_spike_says_since_when_how_many_and_what_most() -> None:
    add_history(usual=4)
    now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
    add_count(1, at=now.replace(minute=1), fingerprint="1-stray")
    since = add_outage(since=now.replace(minute=9), until=now)
    spike = find_spike(scope=EVERYTHING, now=now)
    assert spike is not None
    assert (spike.since, spike.until, spike.usual) == (since, None, 4)
    assert spike.count == 22 * (60 + 10 + 4)
    assert spike.main is not None
    assert (spike.main.fingerprint, spike.main.upstreams) == ("1-503", (UPSTREAM,))


def test_a_spike_that_is_over_says_until_when() -> None:
    now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
    since = now - 3 * HOUR
    add_outage(since=since, until=since + timedelta(minutes=5))
    spike = find_spike(scope=EVERYTHING, now=now)
    assert spike is not None
    assert (spike.since, spike.until) == (since, since + timedelta(minutes=5))


def test_all_is_for_who_sees_everything_and_nothing_for_who_sees_nothing(
    reader: "User", powerless: "User"
) -> None:
    assert find_scope(SCRIPT) is EVERYTHING
    assert find_scope(Actor.from_user(reader, channel=Channel.ADMIN)) is EVERYTHING
    assert find_scope(Actor.from_user(powerless, channel=Channel.ADMIN)).is_empty


def test_of_a_source_with_a_hidden_entry_nothing_is_counted(reader: "User") -> None:
    mine, other = SourceFactory.create(slug="mine"), SourceFactory.create(slug="other")
    for source in (mine, other, None):
        EntryFactory.create(source=source)
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for source_id in (mine.pk, other.pk, None):
        add_count(30, at=hour, fingerprint="1-a", source_id=source_id)
    with only_source("mine"):
        scope = find_scope(Actor.from_user(reader, channel=Channel.ADMIN))
    assert scope == Scope(source_ids=(mine.pk,))
    now = timezone.now()
    assert sum(b.failed for b in read_series(Period.DAY, scope=scope, now=now)) == 30
    assert find_most_frequent(hour, scope=scope, most=5)[0].count == 30
    spike = find_spike(scope=scope, now=now)
    assert spike is not None
    assert spike.count == 30
