"""Database connections for kinds, apart from the one that the worker writes with."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self

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

#: What outlives a transaction. A fresh connection has some of it too.
_SESSION = """
SELECT 'the setting ' || name || ' = ' || setting FROM pg_settings WHERE source = 'session'
UNION ALL SELECT 'the role ' || current_user || ' of ' || session_user
UNION ALL SELECT 'an advisory lock' FROM pg_locks
          WHERE locktype = 'advisory' AND pid = pg_backend_pid()
UNION ALL SELECT 'a LISTEN for ' || channel FROM pg_listening_channels() AS channel
UNION ALL SELECT 'the temporary table ' || relname FROM pg_class
          WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'
"""


class KindConnections:
    """What kinds get from ``django.db`` while they run: never the worker's own connection.

    Nothing they open, change or leave can touch a claim or an outcome. What one entry leaves is
    found by ``left`` and goes with the connection, so that the next entry does not get it.
    """

    def __init__(self) -> None:
        self._own = connections.create_connection(DEFAULT_DB_ALIAS)
        self._others = [alias for alias in settings.DATABASES if alias != DEFAULT_DB_ALIAS]
        self._fresh: dict[str, frozenset[str]] = {}
        self._lent = False

    def __enter__(self) -> Self:
        connection_created.connect(self._note_fresh, weak=False)
        return self

    def __exit__(self, *_error: object) -> None:
        connection_created.disconnect(self._note_fresh)
        self.drop()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Within, ``django.db.connection`` of this thread is the kinds'."""
        workers = connections[DEFAULT_DB_ALIAS]
        connections[DEFAULT_DB_ALIAS] = self._own
        self._lent = True
        try:
            yield
        finally:
            self._lent = False
            connections[DEFAULT_DB_ALIAS] = workers

    def left(self) -> str:
        """What the entry that has just ended left behind, in words; empty where nothing. Such a
        connection is closed.
        """
        found = []
        for wrapper in self._open():
            try:
                left = _transaction(wrapper) or self._changes(wrapper)
            except (DatabaseError, InterfaceError) as error:
                # Where it is gone, whatever it had went with it. Else not even a question to
                # PostgreSQL gets through any more, such as with a timeout of a millisecond.
                left = (
                    ""
                    if _is_gone(wrapper)
                    else f"the setting of a limit under which nothing gets through: {error}"
                )
                if not left:
                    self._renew(wrapper)
            if left:
                found.append(f'on the connection "{wrapper.alias}": {left}')
                self._renew(wrapper)
        return "; ".join(found)

    def drop(self) -> None:
        """Close them: an entry was interrupted on them, or no more will come."""
        for wrapper in self._open():
            self._renew(wrapper)

    def _open(self) -> list[BaseDatabaseWrapper]:
        mine = [self._own] if self._own.connection is not None else []
        if self._others:
            known = connections.all(initialized_only=True)
            mine += [w for w in known if w.alias in self._others and w.connection is not None]
        return mine

    def _renew(self, wrapper: BaseDatabaseWrapper) -> None:
        """One that is closed within ``atomic`` believes to be in there for ever."""
        with suppress(DatabaseError, InterfaceError):
            wrapper.close()
        if wrapper is not self._own:
            del connections[wrapper.alias]
            return
        self._own = connections.create_connection(DEFAULT_DB_ALIAS)
        if self._lent:
            connections[DEFAULT_DB_ALIAS] = self._own

    def _note_fresh(self, connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
        ours = connection is self._own or connection.alias in self._others
        if ours and connection.vendor == "postgresql":
            self._fresh[connection.alias] = _session(connection)

    def _changes(self, wrapper: BaseDatabaseWrapper) -> str:
        if wrapper.vendor != "postgresql":
            return ""
        before = self._fresh.get(wrapper.alias, frozenset())
        now = _session(wrapper)
        changes = sorted(now - before) or [f"not {state}" for state in sorted(before - now)]
        return ", ".join(changes)


def _transaction(wrapper: BaseDatabaseWrapper) -> str:
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


def _session(wrapper: BaseDatabaseWrapper) -> frozenset[str]:
    with wrapper.cursor() as cursor:
        cursor.execute(_SESSION)
        return frozenset(row[0] for row in cursor.fetchall())
