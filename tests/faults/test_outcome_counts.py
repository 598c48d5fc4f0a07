"""Counts stay exact while dispatchers and workers are killed in the middle."""

import pytest
from django.db import connection

from entries.models import Attempt, Entry
from retry.models import OutcomeCount, OutcomeFlush, OutcomeTotal
from tests.support.asking import queued_entries
from tests.support.processes import listening_worker, manage
from tests.support.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

# In one statement, because the dispatcher moves what it has counted.
_COUNTED = """
SELECT (SELECT coalesce(sum(count), 0) FROM retry_outcomeflush WHERE NOT lost)
     + (SELECT coalesce(sum(count), 0) FROM retry_outcomecount WHERE fingerprint <> '*')
"""


def count_outcomes() -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED)
        return int(cursor.fetchone()[0])


def is_settled() -> bool:
    return not Entry.objects.filter(status__in=["queued", "running"]).exists()


def test_killed_dispatchers_and_workers_lose_and_double_nothing() -> None:
    for number in range(30):
        queued_entries(2, do="permanent" if number % 3 else "succeed", nap=0.05)
    for killed in range(3):
        with listening_worker("default") as worker, manage("dispatcher") as dispatcher:
            dispatcher.wait_for_output("dispatcher.started")
            before = count_outcomes()
            wait_until(lambda: count_outcomes() > before + 5 or is_settled(), timeout=30)  # noqa: B023
            (dispatcher if killed % 2 else worker).kill()
            dispatcher.kill()
    with listening_worker("default"), manage("dispatcher"):
        wait_until(is_settled, timeout=60)
        wait_until(lambda: not OutcomeFlush.objects.exists(), timeout=30)
    # The first attempts are the factory's.
    attempts = Attempt.objects.filter(number__gt=1)
    assert count_outcomes() == attempts.filter(status__in=["succeeded", "failed"]).count() >= 60
    all_failures = OutcomeCount.objects.filter(fingerprint="*").values_list("count", flat=True)
    assert sum(all_failures) == attempts.filter(status="failed").count()
    totals = OutcomeTotal.objects.exclude(outcome="lost").values_list("count", flat=True)
    assert sum(totals) == count_outcomes()
