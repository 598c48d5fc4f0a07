"""How fast what a hold has kept waiting goes on."""

from datetime import UTC, datetime, timedelta

import pytest

from retry.runs.ramp import Lift, Ramp, WaitingItem, compute_allowance

LIFTED = datetime(2030, 1, 1, tzinfo=UTC)
BEFORE = LIFTED - timedelta(seconds=1)


def waiting(number: int, **given: object) -> WaitingItem[int]:
    values = {"kind": "page", "upstream": "a", "source_id": None, "since": BEFORE} | given
    return WaitingItem(number, **values)  # type: ignore[arg-type]


def taken(ramp: Ramp, *items: WaitingItem[int]) -> list[int]:
    return [item.id for item in ramp.take(items, limit=100)]


@pytest.mark.parametrize(
    ("seconds", "entries"), [(0, 10), (1, 21), (3, 53), (6, 139), (12, 659), (30, 44_286)]
)
def test_it_starts_with_ten_and_doubles_every_three_seconds(seconds: int, entries: int) -> None:
    assert int(compute_allowance(seconds)) == entries


def test_what_waited_goes_on_as_allowed_and_the_oldest_first() -> None:
    ramp = Ramp({("page", "a"): Lift(1, LIFTED, 3.0)})
    assert taken(ramp, *map(waiting, range(5))) == [0, 1, 2]
    assert taken(ramp, waiting(5)) == []


def test_one_that_is_larger_overdraws_and_the_rest_waits() -> None:
    ramp = Ramp({("page", ""): Lift(1, LIFTED, 3.0)})
    assert taken(ramp, waiting(0, size=25), waiting(1)) == [0]


def test_what_came_later_or_depends_on_something_else_does_not_wait() -> None:
    ramp = Ramp({("page", "a"): Lift(1, LIFTED, 0.0), 7: Lift(2, LIFTED, 0.0)})
    free = [
        waiting(0, since=LIFTED),
        waiting(1, upstream="b"),
        waiting(2, kind="webhook"),
        waiting(3, upstream="b", source_id=8),
    ]
    assert taken(ramp, *free) == [0, 1, 2, 3]
    assert taken(ramp, waiting(4), waiting(5, upstream="b", source_id=7)) == []


def test_no_more_is_counted_than_is_taken() -> None:
    lift = Lift(1, LIFTED, 100.0)
    ramp = Ramp({("page", "a"): lift})
    assert len(ramp.take(map(waiting, range(50)), limit=20)) == 20
    assert lift.taken == 20


def test_nothing_lifted_is_no_ramp() -> None:
    assert not Ramp({})
