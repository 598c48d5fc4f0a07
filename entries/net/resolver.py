"""Names and their addresses, asked for once in a few seconds.

A lookup says where a name is, never whether one may connect there: each request checks that, also
with an answer that was kept, and the address that was checked is the one that is connected to.
"""

import os
import socket
import threading
import time
from collections import OrderedDict

from entries.net.deadline import Deadline, DeadlinePassed
from entries.net.errors import Unreachable

#: Seconds, counted from the question.
KEPT_SECONDS = 2.0
MOST_NAMES = 1_000

_Place = tuple[str, int]


class _Lookup:
    """One question to the resolver, which any number of threads may wait for.

    ``getaddrinfo`` takes no time limit, so it runs in a thread, which is left behind by those whose
    deadline passes.
    """

    def __init__(self, place: _Place) -> None:
        self.began = time.monotonic()
        self.done = threading.Event()
        self.addresses: list[str] = []
        self.error: OSError | UnicodeError | None = None
        thread = threading.Thread(target=self._ask, args=place, name="resolve", daemon=True)
        thread.start()

    def is_fresh(self) -> bool:
        """Say whether it can answer another request; what failed is asked again at once."""
        failed = self.done.is_set() and not self.addresses
        return not failed and time.monotonic() - self.began < KEPT_SECONDS

    def _ask(self, host: str, port: int) -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            self.addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        except (OSError, UnicodeError) as error:
            self.error = error
        finally:
            self.done.set()


class Resolver:
    """Looks names up, for any number of threads; those that ask alike share one lookup."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Forget every answer, with a new lock: after a fork the old one may stay locked."""
        self._lock = threading.Lock()
        self._lookups: OrderedDict[_Place, _Lookup] = OrderedDict()

    def resolve(self, host: str, port: int, deadline: Deadline) -> list[str]:
        """Return the numeric addresses of ``host``, in the resolver's order, each once.

        Raises ``Unreachable`` and ``DeadlinePassed``.
        """
        lookup = self._look_up((host, port))
        if not lookup.done.is_set() and not lookup.done.wait(deadline.require_time()):
            raise DeadlinePassed
        if not lookup.addresses:
            raise Unreachable(f"the name {host} could not be resolved") from lookup.error
        return lookup.addresses

    def _look_up(self, place: _Place) -> _Lookup:
        with self._lock:
            lookup = self._lookups.get(place)
            if lookup is None or not lookup.is_fresh():
                self._lookups.pop(place, None)
                lookup = self._lookups[place] = _Lookup(place)
                while len(self._lookups) > MOST_NAMES:
                    self._lookups.popitem(last=False)
            return lookup


RESOLVER = Resolver()
os.register_at_fork(after_in_child=RESOLVER.forget)
