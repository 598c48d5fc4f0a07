"""When entries were received: found by their ids, which grow with time, without an index."""

from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from entries.filters import EntryFilter
from entries.models import EntryQuerySet
from entries.moments import parse_span
from entries.sql import load

_SQL = load(__file__)
#: The time of an entry is that at which its transaction began; none takes as long as this.
_MARGIN = timedelta(hours=1)


def filter_received(found: EntryQuerySet, chosen: EntryFilter) -> EntryQuerySet:
    """Leave out, by their ids, entries that were received long before or after what is chosen.

    ``found`` must be filtered by the times themselves. At most two statements of a millisecond.
    """
    begins = [chosen.received_after] if chosen.received_after else []
    if chosen.received_within:
        begins.append(timezone.now() - parse_span(chosen.received_within))
    if begins and (first := _find_first_id(max(begins), -_MARGIN)) is not None:
        found = found.filter(pk__gte=first)
    end = chosen.received_before
    if end and (first := _find_first_id(end, _MARGIN)) is not None:
        found = found.filter(pk__lt=first)
    return found


def _find_first_id(moment: datetime, margin: timedelta) -> int | None:
    """Return the first id that an entry received then or later may have; None without entries."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["find_first_id"], {"moment": moment, "seconds": margin.total_seconds()})
        first: int | None = cursor.fetchone()[0]
    return first
