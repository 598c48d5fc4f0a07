"""How many entries there are of each status, exactly and at once."""

from collections.abc import Mapping

from django.db import connection

from entries.models import Scope
from entries.sql import load
from entries.states import EntryStatus

_SQL = load(__file__)
#: For statements of other modules to include.
COUNTED_STATUSES = _SQL.fragments


def count_by_status(scope: Scope) -> Mapping[str, int]:
    """Count the entries of a scope by status, zeros included. Reads no entry."""
    counts = {status.value: 0 for status in EntryStatus}
    if scope.is_empty:
        return counts
    with connection.cursor() as cursor:
        cursor.execute(_SQL["count"], scope.as_params())
        return counts | dict(cursor.fetchall())
