"""Connections that are kept for the next request to the same place.

Only what is safe is kept: the caller hands back a connection whose answer was read to its end and
allows another request, and takes one for an address that it has just checked.
"""

import os
import threading
import time
from collections import OrderedDict, deque
from contextlib import suppress

from entries.net.connection import Connection, Place

#: Shorter than servers keep them: Apache, Node and Uvicorn close after 5 seconds.
IDLE_SECONDS = 4.0
MOST_IDLE = 200
MOST_IDLE_PER_PLACE = 100


class Pool:
    """Idle connections of this process, for any number of threads."""

    #: Whether a timer runs that closes what is idle too long.
    _is_watched: bool

    def __init__(self) -> None:
        self._empty()

    def take(self, place: Place) -> Connection | None:
        """Return an idle connection, the last one that was kept, or None."""
        while connection := self._pop(place):
            age = time.monotonic() - connection.idle_since
            if age < IDLE_SECONDS and connection.is_silent():
                return connection
            connection.close()
        return None

    def keep(self, connection: Connection) -> None:
        """Keep a connection for others, or close one where there are enough."""
        connection.reused = True
        connection.idle_since = time.monotonic()
        with self._lock:
            self._by_place.setdefault(connection.place, deque()).append(connection)
            self._by_age[connection] = None
            surplus = self._pop_surplus(connection.place)
            must_watch = not self._is_watched
            self._is_watched = True
        if surplus:
            surplus.close()
        if must_watch:
            self._watch(IDLE_SECONDS)

    def forget(self) -> None:
        """Close all, with a new lock.

        After a fork they belong to the other process, which does not notice: to close a descriptor
        says nothing to the server while another process has it open.
        """
        idle = list(self._by_age)
        self._empty()
        for connection in idle:
            connection.close()

    def _empty(self) -> None:
        self._lock = threading.Lock()
        self._by_place: dict[Place, deque[Connection]] = {}
        #: The same, the one that has been idle longest first.
        self._by_age: OrderedDict[Connection, None] = OrderedDict()
        self._is_watched = False

    def _pop(self, place: Place) -> Connection | None:
        with self._lock:
            connections = self._by_place.get(place)
            return self._remove(connections[-1]) if connections else None

    def _pop_surplus(self, place: Place) -> Connection | None:
        """Remove one connection where one too many is idle; the lock is held."""
        if len(self._by_place[place]) > MOST_IDLE_PER_PLACE:
            return self._remove(self._by_place[place][0])
        if len(self._by_age) > MOST_IDLE:
            return self._remove(next(iter(self._by_age)))
        return None

    def _watch(self, seconds: float) -> None:
        """Close what is idle too long after so many seconds, and so on while there is any."""
        timer = threading.Timer(seconds, self._close_old)
        timer.daemon = True
        try:
            timer.start()
        except RuntimeError:  # the process is about to end, or has no threads left
            self._is_watched = False

    def _close_old(self) -> None:
        now, old, wait = time.monotonic(), [], 0.0
        with self._lock:
            while self._by_age and wait <= 0:
                eldest = next(iter(self._by_age))
                wait = eldest.idle_since + IDLE_SECONDS - now
                if wait <= 0:
                    old.append(self._remove(eldest))
            self._is_watched = bool(self._by_age)
        for connection in old:
            connection.close()
        if wait > 0:
            self._watch(wait)

    def _remove(self, connection: Connection) -> Connection:
        """Remove a connection; the lock is held.

        A time limit may interrupt this anywhere, so it also corrects what it finds half done.
        """
        self._by_age.pop(connection, None)
        connections = self._by_place.get(connection.place, deque())
        with suppress(ValueError):
            if connections and connections[-1] is connection:
                connections.pop()
            else:
                connections.remove(connection)
        if not connections:
            self._by_place.pop(connection.place, None)
        return connection


POOL = Pool()
os.register_at_fork(after_in_child=POOL.forget)
