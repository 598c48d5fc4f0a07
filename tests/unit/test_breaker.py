"""When a kind trips its breaker, and how long it waits for the next probe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.kinds.base import Breaker
from retry.dispatcher.verdict import Outcomes, describe, judge, sum_window

BREAKER = Breaker()


def singles(*transient: int) -> list[Outcomes]:
    """Runs of one entry each, the newest first."""
    return [Outcomes(1, each) for each in transient]


@pytest.mark.parametrize(
    ("runs", "seen"),
    [
        ([], None),
        (singles(*[1] * 19), None),  # too few say nothing
        (singles(*[1] * 20), Outcomes(20, 20)),
        (singles(*[1] * 18, 0, 0), Outcomes(20, 18)),
        (singles(*[1] * 17, 0, 0, 0), None),
        (singles(*[1] * 20, *[0] * 500), Outcomes(20, 20)),  # what was good before does not help
        (singles(*[0] * 20, *[1] * 500), None),  # and what was bad before does not hurt
        ([Outcomes(25, 25)], Outcomes(25, 25)),
        ([Outcomes(12, 12), Outcomes(25, 20)], None),  # a run counts whole
        ([Outcomes(12, 12), Outcomes(25, 24), Outcomes(25, 0)], Outcomes(37, 36)),
        ([Outcomes(100, 32)], None),
    ],
)
def test_a_kind_trips_when_nearly_all_of_its_last_outcomes_are_passing_faults(
    runs: list[Outcomes], seen: Outcomes | None
) -> None:
    assert judge(runs, breaker=BREAKER) == seen


def test_a_kind_says_itself_what_is_nearly_all_and_how_many_are_enough() -> None:
    half = Breaker(window=4, share=0.5)
    assert judge(singles(1, 0, 1, 0), breaker=half) == Outcomes(4, 2)
    assert judge(singles(1, 0, 0, 0), breaker=half) is None
    assert judge(singles(1, 1, 1), breaker=half) is None


@given(
    st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), max_size=60),
    st.integers(2, 100),
    st.floats(0.01, 1),
)
def test_it_never_trips_on_less_than_it_says(
    given_runs: list[tuple[int, float]], window: int, share: float
) -> None:
    runs = [Outcomes(total, int(total * part)) for total, part in given_runs]
    seen = judge(runs, breaker=Breaker(window=window, share=share))
    if seen is not None:
        assert seen.total >= window
        assert seen.transient >= share * seen.total
        assert seen == sum_window(runs, window=window)


def test_the_reason_counts_and_names_the_most_frequent() -> None:
    assert describe(Outcomes(20, 19), message="HTTP 503") == (
        "19 of the last 20 outcomes failed with a transient error, most: HTTP 503"
    )
    assert describe(Outcomes(1200, 1200), message="").startswith("1,200 of the last 1,200 outcomes")


def test_probes_become_rarer_up_to_the_cap() -> None:
    waits = [BREAKER.wait(probes=number) for number in range(7)]
    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0, 60.0]
    assert BREAKER.wait(probes=100_000) == 60.0
