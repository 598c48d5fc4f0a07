"""A time limit around a block of code, by SIGALRM."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TimeLimitHit(BaseException):
    """Not an ``Exception``: a broad ``except`` in a kind must not swallow it."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``TimeLimitHit`` in the main thread after ``seconds``, and every second after that.

    The repetition is for code that catches everything. Call ``disarm`` first where you catch it.
    """

    def fire(_signum: int, _frame: FrameType | None) -> None:
        raise TimeLimitHit

    before = signal.signal(signal.SIGALRM, fire)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        disarm()
        signal.signal(signal.SIGALRM, before)


def disarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
