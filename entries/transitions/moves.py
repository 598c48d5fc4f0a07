"""The verbs that need no worker: stop, discard and restore."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection

from entries.sql import array, load
from entries.states import EntryStatus, find_allowed_statuses

_SQL = load(__file__)
_STATEMENTS: Mapping[str, str] = {
    "stop": _SQL["stop"],
    "discard": _SQL["discard"],
    "restore": _SQL["restore"],
}


def move(ids: Iterable[int], *, verb: str) -> dict[int, EntryStatus | None]:
    """Stop, discard or restore entries; return those left alone with their status, in id order.

    The status is None where there is no such entry. Raises ``KeyError`` for any other verb.
    """
    params: dict[str, Any] = {"ids": array(ids), "sources": sorted(find_allowed_statuses(verb))}
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENTS[verb], params)
        return {id_: EntryStatus(status) if status else None for id_, status in cursor.fetchall()}
