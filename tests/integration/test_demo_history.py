"""The history that the demo begins with."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.utils import timezone

from retry.models import OutcomeCount
from retry.outcome_history.scope import EVERYTHING
from retry.outcome_history.series import Period, read_series
from retry.outcome_history.spikes import find_spike
from tests.factories.entries import SourceFactory
from tests.support.processes import child_environment
from tools.demo.history import add_history

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_plot_has_two_weeks_and_nothing_is_unusual_yet() -> None:
    cache.clear()
    SourceFactory.create(slug="demo")
    url = child_environment()["DATABASE_URL"]
    add_history(url, source="demo")
    now = timezone.now()
    for period, bars in ((Period.DAY, 23), (Period.WEEK, 27), (Period.MONTH, 14)):
        buckets = read_series(period, scope=EVERYTHING, now=now)
        assert sum(bucket.succeeded > 0 for bucket in buckets) >= bars
        assert any(bucket.failed for bucket in buckets)
    assert find_spike(scope=EVERYTHING, now=now) is None
    before = OutcomeCount.objects.count()
    add_history(url, source="demo")
    connection.close()
    assert OutcomeCount.objects.count() == before, "once"
