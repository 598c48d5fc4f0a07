"""The verbs that need no worker: defer, stop, discard and restore."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from entries.errors import NeverTried
from entries.sentences import NEVER_TRIED
from entries.sql import array, load
from entries.states import EntryStatus, find_allowed_statuses
from entries.text import describe_error

_SQL = load(__file__)
_STOPPED = describe_error(NeverTried(NEVER_TRIED()))
_STATEMENTS: Mapping[str, str] = {
    "stop": _SQL["stop"],
    "discard": _SQL["discard"],
    "restore": _SQL["restore"],
}


def move(ids: Iterable[int], *, verb: str) -> dict[int, EntryStatus | None]:
    """Stop, discard or restore entries; return those left alone with their status, in id order.

    The status is None where there is no such entry. Raises ``KeyError`` for any other verb.
    """
    error: dict[str, Any] = {
        "error_class": _STOPPED.error_class,
        "message": _STOPPED.message,
        "fingerprint": _STOPPED.fingerprint,
    }
    return _execute(_STATEMENTS[verb], ids, verb=verb, more=error if verb == "stop" else {})


def defer(ids: Iterable[int], *, until: datetime) -> dict[int, EntryStatus | None]:
    """Schedule the first attempt at pending entries; return those left alone, as ``move`` does."""
    return _execute(_SQL["defer"], ids, verb="defer", more={"until": until})


def _execute(
    statement: str, ids: Iterable[int], *, verb: str, more: Mapping[str, Any]
) -> dict[int, EntryStatus | None]:
    params = {"ids": array(ids), "sources": sorted(find_allowed_statuses(verb)), **more}
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return {id_: EntryStatus(status) if status else None for id_, status in cursor.fetchall()}
