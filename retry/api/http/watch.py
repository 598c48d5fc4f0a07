"""Requests that wait until something has settled.

A request that waits keeps a thread and no session at PostgreSQL: one thread of the process looks
for all of them, with one statement for each kind of thing. It ends with the last of them.
"""

import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from entries.database.release import release_connection
from entries.sql import array, load, open_prepared_cursor

_SQL = load(__file__)

#: Seconds between two looks, and the most that a request may wait.
LOOK_SECONDS = 0.25
MOST_SECONDS = 60


class Subject(StrEnum):
    """What can be waited for."""

    OPERATION = "operation"
    RUN = "run"
    SYNC = "sync"


_STATEMENTS = {
    Subject.OPERATION: _SQL["operations"],
    Subject.RUN: _SQL["runs"],
    Subject.SYNC: _SQL["syncs"],
}


@dataclass(slots=True, eq=False)
class _Waiter:
    subject: Subject
    id: UUID | int
    woken: threading.Event = field(default_factory=threading.Event)


class Watch:
    """The requests of this process that wait, at most ``REDRIVE_API_WAITERS`` at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: set[_Waiter] = set()
        self._looking = False
        self._closed = threading.Event()
        self._everywhere = True
        self._here = threading.local()

    def __len__(self) -> int:
        return len(self._waiters)

    def wait(self, subject: Subject, id_: UUID | int, *, seconds: float) -> bool:
        """Wait until it has settled, at most so long; False at once where too many wait already.

        Closes the caller's connection. Returns early when the database does not answer: the
        caller's next statement says so.
        """
        waiter = _Waiter(subject, id_)
        if not self._admit(waiter):
            return False
        try:
            release_connection()
            waiter.woken.wait(seconds)
        finally:
            with self._lock:
                self._waiters.discard(waiter)
        return True

    def dedicate_thread(self) -> None:
        """Make the calling thread one that may wait; those that never called this no longer do."""
        self._everywhere = False
        self._here.dedicated = True

    def close(self) -> None:
        """Let all requests answer now, and no other wait: the process is about to end."""
        self._closed.set()
        self._wake(list(self._waiters))

    def _admit(self, waiter: _Waiter) -> bool:
        if not self._everywhere and not getattr(self._here, "dedicated", False):
            return False
        with self._lock:
            if self._closed.is_set() or len(self._waiters) >= settings.REDRIVE_API_WAITERS:
                return False
            self._waiters.add(waiter)
            if not self._looking:
                self._looking = True
                threading.Thread(target=self._look, name="waiting", daemon=True).start()
        return True

    def _list(self) -> Sequence[_Waiter]:
        """Return those who wait; where none does, the thread that looks is over with this."""
        with self._lock:
            self._looking = bool(self._waiters)
            return list(self._waiters)

    def _look(self) -> None:
        try:
            while waiters := self._list():
                try:
                    self._wake(_find_settled(waiters))
                except (DatabaseError, InterfaceError):
                    connection.close()
                    self._wake(waiters)
                self._closed.wait(LOOK_SECONDS)
        except BaseException:
            with self._lock:
                self._looking = False
            raise
        finally:
            connection.close()  # it belongs to this thread

    def _wake(self, waiters: Sequence[_Waiter]) -> None:
        for waiter in waiters:
            waiter.woken.set()


def _find_settled(waiters: Sequence[_Waiter]) -> list[_Waiter]:
    groups: dict[Subject, list[_Waiter]] = defaultdict(list)
    for waiter in waiters:
        groups[waiter.subject].append(waiter)
    found: list[_Waiter] = []
    for subject, group in groups.items():
        with open_prepared_cursor() as cursor:
            cursor.execute(_STATEMENTS[subject], {"ids": array({waiter.id for waiter in group})})
            settled = {row[0] for row in cursor.fetchall()}
        found += [waiter for waiter in group if waiter.id in settled]
    return found


watch = Watch()
