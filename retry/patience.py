"""Waiting for PostgreSQL, wherever a worker needs it."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, InternalError, OperationalError, connection

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: It restarts, refuses connections, shuts down, or is read-only because another takes over.
AWAY = (OperationalError, InterfaceError, InternalError)
PAUSE_SECONDS = 0.5


def _never() -> bool:
    return False


def outlast(act: Callable[[], T], *, give_up: Callable[[], bool] = _never) -> T:
    """Do ``act``, as often as it takes until PostgreSQL has answered.

    ``act`` must be repeatable: it may have been done although its answer was lost. Raises what
    stood in the way once ``give_up`` says so, and within a transaction, of which nothing is left.
    """
    while True:
        within = connection.in_atomic_block
        try:
            return act()
        except AWAY as error:
            if within or give_up():
                raise
            logger.warning("database.away", extra={"error": type(error).__name__})
            connection.close()
            time.sleep(PAUSE_SECONDS)
