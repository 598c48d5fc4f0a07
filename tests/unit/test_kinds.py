"""The contract of kinds, and when a failed entry is retried by itself."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.errors import PermanentError, TimeLimitExceeded, TransientError
from entries.kinds.base import AttemptData, Breaker, EntryData, Kind, RetryPolicy
from entries.kinds.registry import KINDS


class Valid(Kind):
    name = "valid"

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        return None


def test_a_valid_kind_has_no_problems() -> None:
    assert KINDS.find_problems(Valid) == []
    assert KINDS.find_problems(type("Unbroken", (Valid,), {"breaker": None})) == []


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"name": ""}, "name must be"),
        ({"name": "Page"}, "name must be"),
        ({"name": "a b"}, "name must be"),
        ({"name": "-a"}, "name must be"),
        ({"name": "a" * 51}, "name must be"),
        ({"name": None}, "name must be"),
        ({"time_limit": 0}, "time_limit"),
        ({"time_limit": -1.0}, "time_limit"),
        ({"time_limit": float("inf")}, "time_limit"),
        ({"time_limit": float("nan")}, "time_limit"),
        ({"time_limit": "60"}, "time_limit"),
        ({"run_size": 0}, "run_size must be 1 to 500"),
        ({"run_size": 501}, "run_size must be 1 to 500"),
        ({"run_size": 2.5}, "run_size must be 1 to 500"),
        ({"group_size": 0}, "group_size must be 1 to 500"),
        ({"queue": ""}, "queue must be the name of a queue"),
        ({"bulk_queue": None}, "bulk_queue must be the name of a queue"),
        ({"rescue_limit": -1}, "rescue_limit"),
        ({"retry_policy": None}, "retry_policy must be a RetryPolicy"),
        ({"retry_policy": RetryPolicy(limit=-1)}, "no negative numbers"),
        ({"retry_policy": RetryPolicy(cap=float("nan"))}, "no negative numbers"),
        ({"retry_policy": RetryPolicy(on=(cast("type[Exception]", "Oops"),))}, "exception classes"),
        ({"upstream": "crm"}, "upstream must be a method"),
        ({"breaker": 7}, "breaker must be a Breaker or None"),
        ({"breaker": Breaker(window=1)}, "breaker.window must be 2 to 1000"),
        ({"breaker": Breaker(window=1001)}, "breaker.window must be 2 to 1000"),
        ({"breaker": Breaker(share=0.0)}, "breaker.share"),
        ({"breaker": Breaker(share=1.1)}, "breaker.share"),
        ({"breaker": Breaker(first_probe=0.0)}, "breaker.first_probe"),
        ({"breaker": Breaker(cap=float("nan"))}, "breaker.cap"),
        ({"breaker": Breaker(factor=0.5)}, "breaker.factor"),
        ({"__init__": lambda _self, _url: None}, "without arguments"),
        ({"process": Kind.process}, "process() is missing"),
    ],
)
def test_what_keeps_a_class_from_being_a_kind(attributes: dict[str, Any], problem: str) -> None:
    cls = type("Broken", (Valid,), attributes)
    assert len(KINDS.find_problems(cls)) == 1
    assert problem in KINDS.find_problems(cls)[0]


@pytest.mark.parametrize("value", [object, "page", None, Valid.process, Valid()])
def test_what_is_no_kind_at_all(value: Any) -> None:
    assert KINDS.find_problems(value) == ["must be a subclass of entries.kinds.base.Kind"]


class TestRetryPolicy:
    def test_by_default_nothing_is_retried_by_itself(self) -> None:
        assert RetryPolicy().delay(TransientError("busy"), used=0) is None

    def test_up_to_the_limit(self) -> None:
        policy = RetryPolicy(limit=2)
        given = [policy.delay(TransientError("busy"), used=used) for used in range(4)]
        assert [delay is not None for delay in given] == [True, True, False, False]

    @pytest.mark.parametrize(
        ("error", "again"),
        [
            (TransientError("busy"), True),
            (TimeLimitExceeded("slow"), True),
            (PermanentError("gone"), False),
            (ValueError("bug"), False),
        ],
    )
    def test_only_what_may_pass(self, error: Exception, *, again: bool) -> None:
        assert (RetryPolicy(limit=1).delay(error, used=0) is not None) is again

    def test_other_errors_can_be_named_but_permanent_ones_never(self) -> None:
        policy = RetryPolicy(limit=1, on=(Exception,))
        assert policy.delay(ValueError(), used=0) is not None
        assert policy.delay(PermanentError(), used=0) is None

    @pytest.mark.parametrize(
        ("asked", "delay"), [(17, 17.0), (0.0, 0.0), (-5, 0.0), (10**9, 3600.0)]
    )
    def test_what_the_other_side_asks_for_counts_up_to_the_cap(
        self, asked: float, delay: float
    ) -> None:
        error = TransientError("busy", retry_after=asked)
        assert RetryPolicy(limit=1).delay(error, used=0) == delay

    @pytest.mark.parametrize("asked", [float("nan"), "soon"])
    def test_nonsense_that_was_asked_for_is_not_heard(self, asked: Any) -> None:
        error = TransientError("busy", retry_after=asked)
        assert 0 <= (RetryPolicy(limit=1).delay(error, used=0) or 0) <= 30

    @given(st.integers(0, 5000), st.floats(0, 100), st.floats(0, 1e6), st.floats(0, 1e4))
    def test_delays_stay_between_nothing_and_the_cap(
        self, used: int, first_delay: float, factor: float, cap: float
    ) -> None:
        policy = RetryPolicy(limit=10_000, first_delay=first_delay, factor=factor, cap=cap)
        delay = policy.delay(TransientError("busy"), used=used)
        assert delay is not None
        assert 0 <= delay <= cap


@pytest.mark.parametrize(("at_once", "window"), [(1, 20), (5, 20), (16, 64), (256, 1000)])
def test_side_by_side_the_breaker_looks_at_more_than_can_hang_at_once(
    at_once: int, window: int
) -> None:
    assert Breaker.side_by_side(at_once).window == window
