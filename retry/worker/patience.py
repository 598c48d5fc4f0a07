"""Waiting for PostgreSQL, wherever a worker needs it."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection
from psycopg.errors import QueryCanceled

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: It restarts, refuses connections, shuts down, or is read-only because another takes over.
AWAY = (OperationalError, InterfaceError, InternalError)
PAUSE_SECONDS = 0.5
#: So often PostgreSQL may have ended the same statement for its length.
MOST_CANCELLED = 3


def _never() -> bool:
    return False


def outlast(act: Callable[[], T], *, give_up: Callable[[], bool] = _never) -> T:
    """Do ``act``, as often as it takes until PostgreSQL has answered.

    ``act`` must be repeatable: it may have been done although its answer was lost. Raises what
    stood in the way once ``give_up`` says so, and within a transaction, of which nothing is left.
    """
    cancelled = 0
    while True:
        within = connection.in_atomic_block
        try:
            return act()
        except AWAY as error:
            # A statement that takes longer than it may will do so the next time, too.
            cancelled += isinstance(error.__cause__, QueryCanceled)
            if within or give_up() or cancelled >= MOST_CANCELLED:
                raise
            logger.warning("database.away", extra={"error": type(error).__name__})
            connection.close()
            time.sleep(PAUSE_SECONDS)
