"""Limits how often an address may try unknown tokens; per process, in bounded memory."""

import threading
import time

from retry.api.http.problems import Problem

#: Unknown tokens from one address, within so many seconds.
LIMIT = 30
SECONDS = 60.0
#: Addresses to remember; beyond that the oldest are forgotten.
_ADDRESSES = 10_000


class Throttle:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, tuple[float, int]] = {}

    def count(self, address: str) -> None:
        """Count an attempt. Raises ``Problem`` 429 beyond the limit.

        Known tokens from that address keep working: several callers may share it.
        """
        now = time.monotonic()
        with self._lock:
            since, count = self._failures.pop(address, (now, 0))
            if now - since > SECONDS:
                since, count = now, 0
            self._failures[address] = (since, count + 1)
            while len(self._failures) > _ADDRESSES:
                del self._failures[next(iter(self._failures))]
        if count >= LIMIT:
            wait = str(int(since + SECONDS - now) + 1)
            raise Problem(429, "too_many_attempts", headers={"Retry-After": wait})

    def clear(self) -> None:
        with self._lock:
            self._failures.clear()


unknown_tokens = Throttle()
