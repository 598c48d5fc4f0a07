"""The steps of a ramp as people write them."""

import pytest

from retry.operations.pace import Pace, parse_ramp


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("10, 100, 1,000, rest", (10, 100, 1000)),
        ("10,100,1000", (10, 100, 1000)),
        ("10 100 1000 rest", (10, 100, 1000)),
        ("10,100,rest", (10, 100)),
        (" 7 ", (7,)),
        ("5, Rest", (5,)),
        ("rest", ()),
        ("", ()),
    ],
)
def test_it_is_read_as_it_is_written(text: str, steps: tuple[int, ...]) -> None:
    assert parse_ramp(text) == steps


@pytest.mark.parametrize("text", ["x", "0", "10, rest, 20", "-5", "1.5", "1,0", "100001", "\uff11"])
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"steps|step|ramp"):
        parse_ramp(text)


def test_a_canary_is_the_first_step() -> None:
    assert Pace(canary_size=5, ramp=(10,)).steps == (5, 10)
    assert Pace(ramp=(10,)).steps == (10,)
    assert Pace(ramp=(10,)).failure_limit == 0.1
    assert Pace().failure_limit is None


def test_a_pace_without_what_is_new_has_its_old_identity() -> None:
    assert Pace(canary_size=5).identity() == {
        "rate_per_second": None,
        "canary_size": 5,
        "max_failure_rate": None,
    }
