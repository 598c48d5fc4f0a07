"""A part of the front page: what was read of it, or that it could not be read in time.

Several people may watch, and the page polls: what is read is kept for a moment, for all who see
the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError

from entries.budget import time_budget
from retry.outages import Outage, classify_outage

T = TypeVar("T")

#: For one statement of a part.
BUDGET_SECONDS = 0.15
_KEPT_SECONDS = 2
#: What could not be read is not tried again by each poll.
_FAILED_SECONDS = 5
_PASSES = frozenset({Outage.BUSY, Outage.TOO_SLOW})


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """``value`` as it was read; None where the user may not see it, or with ``failed``, where
    reading took too long.
    """

    value: T | None = None
    failed: bool = False


HIDDEN: Part[Any] = Part()


def read_part(
    read: Callable[[], T], *, name: str, key: str, seconds: int = _KEPT_SECONDS
) -> Part[T]:
    """Read a part within the time budget, or return what was read a moment ago.

    ``key``: the same for all who see the same. Raises the database's error where it is away.
    """
    where = f"redrive.desk.{name}.{key}"
    known: Part[T] | None = cache.get(where)
    if known is not None:
        return known
    part = _read(read)
    cache.set(where, part, _FAILED_SECONDS if part.failed else seconds)
    return part


def _read(read: Callable[[], T]) -> Part[T]:
    try:
        with time_budget(BUDGET_SECONDS):
            return Part(read())
    except (DatabaseError, InterfaceError) as error:
        if classify_outage(error) not in _PASSES:
            raise
        return Part(failed=True)
