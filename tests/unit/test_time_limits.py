import select
import signal
import time

import pytest

from retry.worker.time_limits import TimeLimitHit, disarm, handle_alarms, time_limit


def spin(seconds: float) -> None:
    """Keeps the processor busy, as a kind does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_what_is_quick_goes_through() -> None:
    with time_limit(5.0):
        done = True
    assert done
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_takes_too_long_is_interrupted() -> None:
    begun = time.monotonic()
    with pytest.raises(TimeLimitHit), time_limit(0.05):
        spin(10)
    assert time.monotonic() - begun < 5


def test_waiting_is_interrupted_as_well() -> None:
    with pytest.raises(TimeLimitHit), time_limit(0.05):
        select.select([], [], [], 10)


def test_a_broad_except_does_not_swallow_it() -> None:
    def careless() -> None:
        try:
            spin(10)
        except Exception as error:
            raise AssertionError("swallowed") from error

    with pytest.raises(TimeLimitHit), time_limit(0.05):
        careless()


def test_code_that_catches_everything_is_interrupted_again() -> None:
    hits = 0

    def stubborn() -> None:
        nonlocal hits
        try:
            spin(10)
        except BaseException:  # noqa: BLE001 - the point of the test
            hits += 1
        spin(10)

    with pytest.raises(TimeLimitHit), time_limit(0.05):
        stubborn()
    assert hits == 1


def test_the_handler_before_is_back_afterwards() -> None:
    def mine(*_: object) -> None: ...

    before = signal.signal(signal.SIGALRM, mine)
    try:
        with pytest.raises(ZeroDivisionError), time_limit(5.0):
            raise ZeroDivisionError
        assert signal.getsignal(signal.SIGALRM) is mine
    finally:
        signal.signal(signal.SIGALRM, before)


def test_disarmed_it_does_not_strike() -> None:
    with time_limit(0.05):
        disarm()
        spin(0.2)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_of_a_group_each_has_its_own_time() -> None:
    with handle_alarms():
        with time_limit(0.2):
            spin(0.15)
        with time_limit(0.2):
            spin(0.15)  # the timer goes off in here, and it is not its turn
        with pytest.raises(TimeLimitHit), time_limit(0.2):
            spin(10)
        disarm()
        spin(0.1)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_in_a_group_a_shorter_limit_strikes_in_time() -> None:
    begun = time.monotonic()
    with handle_alarms():
        with time_limit(60.0):
            pass
        with pytest.raises(TimeLimitHit), time_limit(0.05):
            spin(10)
    assert time.monotonic() - begun < 5


def test_between_the_entries_of_a_group_nothing_strikes() -> None:
    with handle_alarms():
        with time_limit(0.05):
            pass
        spin(0.2)
        with pytest.raises(TimeLimitHit), time_limit(0.05):
            spin(10)
