"""The history that the demo begins with."""

from datetime import timedelta
from statistics import median

import pytest
from django.core.cache import cache
from django.utils import timezone

from entries.net import ServerUnavailable
from entries.text import describe_error
from retry.models import ErrorGroup, OutcomeCount
from retry.outcome_history.scope import EVERYTHING
from retry.outcome_history.series import Period, read_series
from retry.outcome_history.spikes import find_spike
from tests.factories.entries import SourceFactory
from tools.demo.history import add_history

pytestmark = pytest.mark.django_db


def test_each_plot_has_two_weeks_and_nothing_is_unusual_yet() -> None:
    cache.clear()
    SourceFactory.create(slug="demo")
    add_history(source="demo", upstream="http://127.0.0.1:9001")
    now = timezone.now()
    for period, bars in ((Period.DAY, 23), (Period.WEEK, 27), (Period.MONTH, 14)):
        buckets = read_series(period, scope=EVERYTHING, now=now)
        assert sum(bucket.succeeded > 0 for bucket in buckets) >= bars
        assert any(bucket.failed for bucket in buckets)
    assert find_spike(scope=EVERYTHING, now=now) is None
    before = OutcomeCount.objects.count()
    add_history(source="demo", upstream="http://127.0.0.1:9001")
    assert OutcomeCount.objects.count() == before, "once"


def test_what_failed_is_the_group_of_what_will_fail() -> None:
    SourceFactory.create(slug="demo")
    add_history(source="demo", upstream="http://127.0.0.1:9001")
    error = describe_error(ServerUnavailable("HTTP 503 from http://127.0.0.1:9001/pages/7"))
    group = ErrorGroup.objects.get()
    assert (group.fingerprint, group.error_class) == (error.fingerprint, error.error_class)
    assert str(group) == "ServerUnavailable: HTTP 503 from http://#/<path>"
    assert timezone.now() - group.first_seen > timedelta(days=13)
    alike = OutcomeCount.objects.filter(fingerprint=group.fingerprint)
    assert group.failures == sum(alike.values_list("count", flat=True))


def test_the_usual_rate_follows_the_hour_of_the_day() -> None:
    SourceFactory.create(slug="demo")
    add_history(source="demo", upstream="http://127.0.0.1:9001")
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    night, day = (
        median(
            OutcomeCount.objects.filter(
                fingerprint="*",
                at__in=[midnight + timedelta(hours=hour, days=-n) for n in range(1, 8)],
            ).values_list("count", flat=True)
        )
        for hour in (0, 12)
    )
    assert day > 2 * night > 0
