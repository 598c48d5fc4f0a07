"""How many requests a minute a caller makes; shared by all processes by Redis.

A process counts for itself and tells Redis after each fiftieth of a limit, so most requests ask
nothing, and a caller is refused without a question. Without Redis each process limits alone.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from retry import queue
from retry.errors import QueueUnavailable

logger = logging.getLogger(__name__)

SECONDS = 60
#: A limit has so many steps, and Redis learns of each; what it does not know of yet is at most one
#: for each process.
_STEPS = 50
#: Callers to remember in one process; beyond that the oldest are forgotten.
_CALLERS = 10_000
#: After an answer that did not come, Redis is not asked for so long.
_SILENCE_SECONDS = 10.0


@dataclass(slots=True)
class _Caller:
    """``known``: requests in ``window``, of all processes as far as is known. ``untold``: those of
    them that Redis does not know of yet.
    """

    window: int
    known: int = 0
    untold: int = 0
    logged: bool = False


class Rate:
    """Counts requests by the minute of the clock. ``what``: whose they are."""

    def __init__(self, what: str, *, tell: Callable[..., int] = queue.add_count) -> None:
        self._what = what
        self._tell = tell
        self._lock = threading.Lock()
        self._callers: dict[str, _Caller] = {}
        self._silent_until = 0.0

    def count(self, key: str, *, limit: int) -> int | None:
        """Count a request; above ``limit`` a minute return how many seconds to wait, else None.

        A ``limit`` of 0 is none.
        """
        if not limit:
            return None
        now = time.time()
        with self._lock:
            caller = self._find(key, window=int(now // SECONDS))
            refused = caller.known >= limit
            first, caller.logged = refused and not caller.logged, refused
            told = 0
            if not refused:
                caller.known += 1
                caller.untold += 1
                if caller.untold >= max(1, limit // _STEPS) and now >= self._silent_until:
                    told, caller.untold = caller.untold, 0
        if first:  # once a minute: a line for each would cost more than the answer
            logger.warning("api.rate_exceeded", extra={"of": self._what, "limit": limit})
        if told:
            self._share(key, caller, told)
        return int(SECONDS - now % SECONDS) + 1 if refused else None

    def clear(self) -> None:
        with self._lock:
            self._callers.clear()
            self._silent_until = 0.0

    def _find(self, key: str, *, window: int) -> _Caller:
        caller = self._callers.get(key)
        if caller is None or caller.window != window:
            self._callers.pop(key, None)
            caller = self._callers[key] = _Caller(window)
            while len(self._callers) > _CALLERS:
                del self._callers[next(iter(self._callers))]
        return caller

    def _share(self, key: str, caller: _Caller, told: int) -> None:
        name = f"redrive:rate:{self._what}:{key}:{caller.window}"
        try:
            total = self._tell(name, told, seconds=2 * SECONDS)
        except QueueUnavailable as error:
            logger.warning("api.rate_not_shared", extra={"error": str(error)})
            with self._lock:
                self._silent_until = time.time() + _SILENCE_SECONDS
                caller.untold += told
            return
        with self._lock:
            caller.known = max(caller.known, total + caller.untold)
