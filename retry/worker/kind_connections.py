"""Database connections for kinds, apart from the one that the worker writes with."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    connections,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from psycopg.pq import TransactionStatus

from entries.sql import load
from retry.worker.connection_pool import create_pooled

_SQL = load(__file__)

#: Which ``KindConnections`` this thread has lent.
_lent = threading.local()


class KindConnections:
    """What kinds get from ``django.db`` while they run: never the worker's own connection.

    Nothing that a kind opens, changes or leaves open can touch a claim or an outcome. After each
    entry ``find_leftovers`` closes a connection that was left unclean, so that the next entry gets
    a fresh one. For the use of one thread; with ``pooled`` up to ``REDRIVE_KIND_CONNECTIONS``
    connections are shared by all threads, and ``give_back`` ends the use of one.
    """

    def __init__(self, *, pooled: bool = False) -> None:
        self._pooled = pooled
        self._own = self._create()
        self._others = [alias for alias in settings.DATABASES if alias != DEFAULT_DB_ALIAS]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.drop()

    @contextmanager
    def lend(self) -> Iterator[None]:
        """Make ``django.db.connection`` of this thread the kinds' inside the block."""
        workers = connections[DEFAULT_DB_ALIAS]
        connections[DEFAULT_DB_ALIAS] = self._own
        _lent.by = self
        try:
            yield
        finally:
            _lent.by = None
            connections[DEFAULT_DB_ALIAS] = workers

    def find_leftovers(self) -> str:
        """Describe what the last entry left on its connections, "" for nothing.

        A connection with leftovers is closed and replaced, and so is one that is lost.
        """
        found = []
        for wrapper in self._list_open():
            try:
                leftover = _find_transaction(wrapper) or self._find_changes(wrapper)
            except (DatabaseError, InterfaceError) as error:
                if _is_gone(wrapper):  # with all that was left on it
                    self._replace(wrapper)
                    continue
                # Such as a statement timeout of a millisecond.
                leftover = f"the setting of a limit under which nothing gets through: {error}"
            if leftover:
                found.append(f'on the connection "{wrapper.alias}": {leftover}')
                self._replace(wrapper)
        return "; ".join(found)

    def drop(self) -> None:
        """Close all of them, because an entry was interrupted on them or no more will come."""
        for wrapper in self._list_open():
            self._replace(wrapper)

    def give_back(self) -> None:
        """Let other threads use the connections, after ``find_leftovers`` found none."""
        for wrapper in self._list_open():
            with suppress(DatabaseError, InterfaceError):
                getattr(wrapper, "give_back", wrapper.close)()

    def _list_open(self) -> list[BaseDatabaseWrapper]:
        mine = [self._own] if self._own.connection is not None else []
        if self._others:
            known = connections.all(initialized_only=True)
            mine += [w for w in known if w.alias in self._others and w.connection is not None]
        return mine

    def _replace(self, wrapper: BaseDatabaseWrapper) -> None:
        # A new wrapper, because one that is closed inside ``atomic`` never leaves that block.
        with suppress(DatabaseError, InterfaceError):
            wrapper.close()
        if wrapper is not self._own:
            del connections[wrapper.alias]
            return
        self._own = self._create()
        if _find_lent() is self:
            connections[DEFAULT_DB_ALIAS] = self._own

    def _create(self) -> BaseDatabaseWrapper:
        if not self._pooled:
            return connections.create_connection(DEFAULT_DB_ALIAS)
        return create_pooled()

    def note_initial(self, connection: BaseDatabaseWrapper) -> None:
        """Note the state of a session that was opened, or taken from the pool."""
        ours = connection is self._own or connection.alias in self._others
        if ours and connection.vendor == "postgresql" and connection.connection not in _INITIAL:
            _INITIAL[connection.connection] = _fetch_session_state(connection)

    def _find_changes(self, wrapper: BaseDatabaseWrapper) -> str:
        if wrapper.vendor != "postgresql":
            return ""
        before = _INITIAL.get(wrapper.connection, frozenset())
        now = _fetch_session_state(wrapper)
        changes = sorted(now - before) or [f"not {state}" for state in sorted(before - now)]
        return ", ".join(changes)


#: By session: even a fresh one has some state, from its role or database.
_INITIAL: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()


def _note_session(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    by = _find_lent()
    if by is not None:
        by.note_initial(connection)


connection_created.connect(_note_session)


def _find_lent() -> KindConnections | None:
    by: KindConnections | None = getattr(_lent, "by", None)
    return by


def _find_transaction(wrapper: BaseDatabaseWrapper) -> str:
    if wrapper.in_atomic_block:
        return "a transaction that is open"
    if not wrapper.get_autocommit():
        return "autocommit switched off"
    info = getattr(wrapper.connection, "info", None)
    if info is None or info.transaction_status is TransactionStatus.IDLE:
        return ""
    if info.transaction_status is TransactionStatus.UNKNOWN:
        raise OperationalError("the connection is lost")
    return "a transaction that is open"


def _is_gone(wrapper: BaseDatabaseWrapper) -> bool:
    held = wrapper.connection
    return (
        held is None or bool(getattr(held, "closed", False)) or bool(getattr(held, "broken", False))
    )


def _fetch_session_state(wrapper: BaseDatabaseWrapper) -> frozenset[str]:
    with wrapper.cursor() as cursor:
        cursor.execute(_SQL["session_state"])
        return frozenset(row[0] for row in cursor.fetchall())
