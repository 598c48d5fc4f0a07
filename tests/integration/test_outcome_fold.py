"""Folding: minutes, hours and days, with each outcome in exactly one row."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, connection, connections
from django.utils import timezone

from retry.dispatcher import outcome_fold
from retry.dispatcher.loop import Dispatcher
from retry.error_groups.recording import FoldedFailures
from retry.models import OutcomeCount, OutcomeFlush, Span
from tests.support.counts import (
    add_count,
    append,
    count_all_failures,
    fail,
    fold,
    fold_older,
    list_counts,
    move_flushes,
    start_of_minute,
    succeed,
)

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[FoldedFailures]:
    found: list[FoldedFailures] = []
    monkeypatch.setattr(outcome_fold, "record_failures", found.extend)
    return found


def test_what_workers_appended_becomes_counts_of_its_minute() -> None:
    minute = start_of_minute()
    append(succeed(), succeed(), fail("it broke", upstream="a"))
    append(succeed(), fail("it broke", entry_id=7, upstream="b"), source_id=None)
    move_flushes(minute + timedelta(seconds=1))
    assert fold() == 4
    assert not OutcomeFlush.objects.exists()
    succeeded, everything, failed = OutcomeCount.objects.order_by("fingerprint")
    assert (everything.fingerprint, everything.count, everything.upstreams) == ("*", 2, [])
    assert (succeeded.at, succeeded.span, succeeded.count) == (minute, "minute", 3)
    assert (failed.count, sorted(failed.upstreams), failed.sample_entry_id) == (2, ["a", "b"], 7)
    append(fail("it broke", upstream="c"), fail("it broke", upstream="c"))
    move_flushes(minute + timedelta(seconds=2))
    fold()
    failed.refresh_from_db()
    assert (failed.count, sorted(failed.upstreams)) == (4, ["a", "b", "c"])
    assert count_all_failures() == 4


def test_failures_are_told_with_what_is_known_of_them(recorded: list[FoldedFailures]) -> None:
    append(succeed(), fail("page 1 broke", upstream="a"), fail("page 2 broke", upstream="b"))
    append(fail("page 3 broke"), kind="other", source_id=9)
    fold()
    first, second = recorded
    assert (first.kind, first.source_id, first.count) == ("scripted", None, 2)
    assert (first.error_class, first.message) == ("RuntimeError", "page # broke")
    assert (sorted(first.upstreams), first.sample_entry_id) == (["a", "b"], 1)
    assert first.first_at == first.last_at <= timezone.now()
    assert (second.kind, second.source_id, second.fingerprint) == ("other", 9, first.fingerprint)


def test_successes_alone_tell_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(outcome_fold, "record_failures")
    append(succeed())
    assert fold() == 1


def test_old_minutes_become_hours_and_old_hours_days(settings: "Settings") -> None:
    settings.REDRIVE_MINUTE_COUNTS_HOURS, settings.REDRIVE_HOUR_COUNTS_DAYS = 2, 8
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    for minutes in (0, 1, 59):
        add_count(1, at=now - timedelta(hours=5) + timedelta(minutes=minutes), fingerprint="1-a")
    add_count(2, at=now - timedelta(hours=1), fingerprint="1-a")
    day = (now - timedelta(days=12)).replace(hour=0)
    for hour in (3, 4):
        add_count(10, at=day + timedelta(hours=hour), span=Span.HOUR)
    assert fold_older() == 5 + 3
    assert list_counts() == [("day", "", 20), ("hour", "1-a", 3), ("minute", "1-a", 2)]
    assert count_all_failures() == 5
    assert fold_older() == 0


def test_a_minute_that_comes_late_is_added_to_its_hour() -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=9)
    add_count(5, at=hour, span=Span.HOUR)
    append(succeed())
    move_flushes(hour + timedelta(minutes=7))
    fold()
    assert list_counts() == [("hour", "", 5), ("minute", "", 1)]
    fold_older()
    assert list_counts() == [("hour", "", 6)]


def test_days_are_forgotten_after_their_time(settings: "Settings") -> None:
    settings.REDRIVE_DAY_COUNTS_DAYS = 30
    day = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    add_count(1, at=day - timedelta(days=40), span=Span.DAY)
    add_count(1, at=day - timedelta(days=20), span=Span.DAY)
    fold_older()
    assert list_counts() == [("day", "", 1)]


def test_more_than_a_batch_is_folded_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcome_fold, "_BATCH", 2)
    for _ in range(5):
        append(succeed())
    move_flushes(start_of_minute())
    assert fold() == 5
    assert list_counts() == [("minute", "", 5)]


def test_a_fold_that_fails_folds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Sequence[FoldedFailures]) -> None:
        raise RuntimeError("no group takes it")

    append(fail("it broke"))
    with monkeypatch.context() as patch:
        patch.setattr(outcome_fold, "record_failures", refuse)
        assert Dispatcher().tick().broken == 1
    assert (OutcomeFlush.objects.count(), OutcomeCount.objects.count()) == (1, 0)
    assert Dispatcher().tick().broken == 0
    assert [count for *_, count in list_counts()] == [1]


def test_a_dispatcher_killed_in_the_middle_loses_and_doubles_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed after the rows were moved, before the commit."""

    def die(_: Sequence[FoldedFailures]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    append(succeed(), fail("it broke"))
    with monkeypatch.context() as patch:
        patch.setattr(outcome_fold, "record_failures", die)
        with pytest.raises(DatabaseError):
            fold()
    connections.close_all()
    assert (OutcomeFlush.objects.count(), OutcomeCount.objects.count()) == (2, 0)
    fold()
    assert sorted(count for *_, count in list_counts()) == [1, 1]
