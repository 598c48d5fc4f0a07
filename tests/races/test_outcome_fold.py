"""Two dispatchers that fold at once, and workers that append meanwhile."""

from datetime import timedelta

import pytest
from django.utils import timezone

from retry.models import OutcomeCount, OutcomeFlush
from tests.races.test_transitions import in_order
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
from tests.support.threads import all_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def total() -> int:
    return sum(count for *_, count in list_counts())


def test_of_two_folds_of_the_same_rows_one_takes_them() -> None:
    append(succeed(), fail("it broke"))
    assert in_order(fold, fold) == (2, 0)
    assert (total(), OutcomeFlush.objects.count()) == (2, 0)


def test_two_folds_of_other_rows_add_to_the_same_minute() -> None:
    minute = start_of_minute()
    append(succeed())
    move_flushes(minute)

    def fold_another() -> int:
        append(succeed())
        move_flushes(minute)
        return fold()

    assert in_order(fold, fold_another) == (1, 1)
    assert list_counts() == [("minute", "", 2)]


def test_of_two_folds_of_the_same_minutes_one_takes_them() -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=9)
    for minute in range(3):
        add_count(1, at=hour + timedelta(minutes=minute))
    assert in_order(fold_older, fold_older) == (3, 0)
    assert list_counts() == [("hour", "", 3)]


def test_what_is_appended_during_a_fold_is_folded_next() -> None:
    append(succeed())
    in_order(fold, lambda: append(succeed()))
    assert (total(), OutcomeFlush.objects.count()) == (1, 1)
    fold()
    assert total() == 2


def test_many_that_append_and_fold_count_everything_once() -> None:
    def act() -> None:
        for number in range(10):
            append(succeed(), fail(f"it broke {'x' * (number % 3)}"))
            if number % 3 == 0:
                fold()

    all_at_once(act, times=4)
    fold()
    assert not OutcomeFlush.objects.exists()
    assert (total(), count_all_failures()) == (4 * 10 * 2, 4 * 10)
    assert OutcomeCount.objects.filter(fingerprint="").count() <= 2, "a row for each minute"
