"""Which click an attempt belongs to, and where its work is; for kinds of others' work."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import InterfaceError, InternalError, OperationalError, connection

from entries.database.release import release_connection
from entries.errors import TransientError
from entries.kinds.base import AttemptData, EntryData
from entries.sql import load

_SQL = load(__file__)


class NotLookedUp(TransientError):
    """PostgreSQL did not say where the work is, or what was done about it."""


@dataclass(frozen=True, slots=True)
class Click:
    """``cycle`` is its time in microseconds: the same for what a dead worker lost and what follows.

    ``location`` and ``options`` are the source's.
    """

    location: str
    options: Mapping[str, Any]
    cycle: int


def find_click(entry: EntryData, attempt: AttemptData, *, source_kind: str) -> Click | None:
    """Return the click; None where the entry has no source of that kind. Raises ``NotLookedUp``."""
    with open_cursor() as cursor:
        cursor.execute(_SQL["find_click"], {"entry_id": entry.id, "number": attempt.number})
        found = cursor.fetchone()
    if found is None or found[2] != source_kind or found[3] is None:
        return None
    location, text, _, cycle = found
    options = json.loads(text)
    return Click(location, options if isinstance(options, dict) else {}, cycle)


@contextmanager
def open_cursor() -> Iterator[Any]:
    """Lend a cursor, and give its connection back at once: the work of others takes minutes.

    Raises ``NotLookedUp`` where PostgreSQL is away.
    """
    try:
        with connection.cursor() as cursor:
            yield cursor
        release_connection()
    except (InterfaceError, InternalError, OperationalError) as error:
        raise NotLookedUp("the source could not be looked up: PostgreSQL is away") from error
