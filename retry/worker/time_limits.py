"""Time limits around a block of code: by SIGALRM in the main thread, or on any other thread."""

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Protocol


class TimeLimitHit(BaseException):
    """Not an ``Exception``: a broad ``except`` in a kind must not swallow it."""


class Alarm(Protocol):
    """Raises ``TimeLimitHit`` in a block of code that takes too long."""

    def limit(self, seconds: float) -> AbstractContextManager[None]:
        """Return the block, which may take ``seconds``."""

    def disarm(self) -> None:
        """Stop it for good; to be called where ``TimeLimitHit`` is caught."""


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


class SignalAlarm:
    """Interrupts the main thread, also while it waits in a system call."""

    def limit(self, seconds: float) -> AbstractContextManager[None]:
        return time_limit(seconds)

    def disarm(self) -> None:
        disarm()


class ThreadAlarm:
    """Interrupts one thread between two steps of Python code, when ``interrupt`` is called.

    A call into C is not interrupted before it returns.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None

    @contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Mark the block. Who calls ``interrupt`` watches the time."""
        with self._lock:
            self._thread = threading.get_ident()
        try:
            yield
        finally:
            self.disarm()

    def disarm(self) -> None:
        while True:
            try:
                with self._lock:
                    if self._thread is not None:
                        _raise_in(self._thread, None)
                        self._thread = None
            except TimeLimitHit:  # it was on its way
                continue
            return

    def interrupt(self) -> None:
        """Raise ``TimeLimitHit`` in the block, if a thread is in it. May be repeated."""
        with self._lock:
            if self._thread is not None:
                _raise_in(self._thread, TimeLimitHit)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise an error in a thread at its next step; None takes back one that is not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(error) if error else None
    )
