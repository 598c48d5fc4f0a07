"""How many entries there are of each status, exactly and at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection

from entries.models import Scope
from entries.sql import load
from entries.states import EntryStatus

_SQL = load(__file__)
#: For statements of other modules to include.
COUNTED_STATUSES = {"counted_statuses": _SQL.fragments["counted_statuses"]}


def count_by_status(scope: Scope) -> Mapping[str, int]:
    """Count the entries of a scope by status, zeros included. Reads no entry."""
    counts = {status.value: 0 for status in EntryStatus}
    if scope.is_empty:
        return counts
    with connection.cursor() as cursor:
        cursor.execute(_SQL["count"], scope.as_params())
        return counts | dict(cursor.fetchall())


@dataclass(frozen=True, slots=True)
class SourceCounts:
    """Counts by the slug of the source, empty for what has none, and by status."""

    counts: Mapping[tuple[str, str], int]

    def count(self, *, status: str | None, source: str | None) -> int:
        """Count what has the status and is of the source; None: of any."""
        return sum(
            number
            for (slug, named), number in self.counts.items()
            if source in {None, slug} and status in {None, named}
        )


def count_by_source(scope: Scope) -> SourceCounts:
    """Count the entries of a scope once, for many questions. Reads no entry."""
    if scope.is_empty:
        return SourceCounts({})
    with connection.cursor() as cursor:
        cursor.execute(_SQL["count_by_source"], scope.as_params())
        return SourceCounts({(slug, status): count for slug, status, count in cursor.fetchall()})
