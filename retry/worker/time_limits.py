"""Time limits around a block of code: by SIGALRM in the main thread, or on any other thread."""

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType
from typing import Protocol

#: Modules in which an interruption can leave a lock behind that is never released.
_LOCKING = frozenset({"threading", "logging", "queue", "importlib._bootstrap", "_frozen_importlib"})


class TimeLimitHit(BaseException):
    """Not an ``Exception``: a broad ``except`` in a kind must not swallow it."""


class Alarm(Protocol):
    """Raises ``TimeLimitHit`` in a block of code that takes too long."""

    def limit(self, seconds: float) -> AbstractContextManager[None]:
        """Return the block, which may take ``seconds``."""

    def disarm(self) -> None:
        """Stop it for good; to be called where ``TimeLimitHit`` is caught."""


class _Timer:
    """The interval timer of this process.

    Switching it costs more than a cheap entry, so it runs on from one block to the next. Where it
    goes off in a block that began later, it is set to the end of that one.
    """

    def __init__(self) -> None:
        self.holders = 0
        #: When the current block must be over, 0 outside of one; when the timer goes off.
        self.deadline = 0.0
        self.goes_off = 0.0

    def set(self, deadline: float) -> None:
        self.deadline = deadline
        if not self.goes_off or self.goes_off > deadline:
            self._start(deadline)

    def stop(self) -> None:
        self.deadline = self.goes_off = 0.0
        signal.setitimer(signal.ITIMER_REAL, 0)

    def fire(self, _signum: int, _frame: FrameType | None) -> None:
        if not self.deadline:
            self.stop()
        elif time.monotonic() < self.deadline:
            self._start(self.deadline)
        else:
            raise TimeLimitHit

    def _start(self, deadline: float) -> None:
        self.goes_off = deadline
        # Never 0, which would stop it. Once a second from then on.
        signal.setitimer(signal.ITIMER_REAL, max(deadline - time.monotonic(), 1e-6), 1.0)


_timer = _Timer()


@contextmanager
def handle_alarms() -> Iterator[None]:
    """Keep the handler and the timer for all time limits in the block."""
    before = signal.signal(signal.SIGALRM, _timer.fire)
    _timer.holders += 1
    try:
        yield
    finally:
        _timer.holders -= 1
        disarm()
        signal.signal(signal.SIGALRM, before)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``TimeLimitHit`` in the main thread after ``seconds``, and every second after that.

    The repetition is for code that catches everything. Call ``disarm`` first where you catch it.
    """
    if not _timer.holders:
        with handle_alarms(), time_limit(seconds):
            yield
        return
    _timer.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _timer.deadline = 0.0


def disarm() -> None:
    _timer.stop()


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

    def interrupt(self) -> bool:
        """Raise ``TimeLimitHit`` in the block, if a thread is in it. May be repeated.

        False where it is not, or is in the code of a lock: with one that it has just acquired it
        would never release that.
        """
        with self._lock:
            if self._thread is None or is_locking(self._thread):
                return False
            _raise_in(self._thread, TimeLimitHit)
            return True


def is_locking(thread: int) -> bool:
    """Say whether a thread is in the code of a lock, such as a condition's or a log handler's."""
    frame = find_frame(thread)
    return frame is not None and frame.f_globals.get("__name__") in _LOCKING


def find_frame(thread: int) -> FrameType | None:
    """Return where a thread is."""
    return sys._current_frames().get(thread)  # noqa: SLF001 - documented, for debuggers


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise an error in a thread at its next step; None takes back one that is not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(error) if error else None
    )
