"""Waiting for PostgreSQL, wherever a worker needs it, and the request to stop."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, ParamSpec, TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection
from psycopg.errors import QueryCanceled

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

#: It restarts, refuses connections, shuts down, or is read-only during a failover.
DATABASE_AWAY = (OperationalError, InterfaceError, InternalError)
PAUSE_SECONDS = 0.5
#: How often PostgreSQL may cancel the same statement because it took too long.
MAX_CANCELLED = 3


def _never() -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for PostgreSQL: until ``give_up`` returns True."""

    give_up: Callable[[], bool] = _never

    def ask(self, statement: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a statement, again and again until PostgreSQL answers, and return its result.

        It must be safe to repeat: it may have been committed although its answer was lost. Raises
        the database's error when ``give_up`` returns True, after ``MAX_CANCELLED`` cancelled
        statements, and inside a transaction, because that is lost as a whole.
        """
        cancelled = 0
        while True:
            in_transaction = connection.in_atomic_block
            try:
                return statement(*args, **kwargs)
            except DATABASE_AWAY as error:
                # A statement that ran into its time limit will do so again.
                cancelled += isinstance(error.__cause__, QueryCanceled)
                if in_transaction or self.give_up() or cancelled >= MAX_CANCELLED:
                    raise
                logger.warning("database.away", extra={"error": type(error).__name__})
                connection.close()
                time.sleep(PAUSE_SECONDS)


ENDLESS: Final = Patience()
NONE: Final = Patience(give_up=lambda: True)


class Flag:
    """As ``threading.Event`` without its lock, which a signal handler must not wait for."""

    def __init__(self) -> None:
        self._is_set = False

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set


#: Set when the worker is asked to stop: it finishes what is under way and hands on the rest.
shutdown = Flag()

#: For requests: nothing is lost where no entry was claimed yet.
UNTIL_SHUTDOWN: Final = Patience(give_up=shutdown.is_set)
