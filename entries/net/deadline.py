"""How long one exchange may take in all."""

import time


class DeadlinePassed(Exception):
    """The deadline has passed; ``fetch`` and ``send`` turn this into ``TimedOut``."""


class Deadline:
    """A point in monotonic time."""

    __slots__ = ("_end", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def require_time(self) -> float:
        """Return the seconds until then, more than 0. Raises ``DeadlinePassed``."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlinePassed
        return left
