"""A search by indexes, for texts that are too rare to be among the newest entries."""

from typing import Any

from django.db import connection

from entries.budget import OutOfTime, time_budget
from entries.criteria import SEARCH
from entries.lists.indexes import is_indexed
from entries.lists.windows import BUDGET_SECONDS, Order
from entries.models import EntryQuerySet, IndexedEntry
from entries.models.indexed import SEPARATOR
from entries.sql import as_sql, load
from entries.states import EntryStatus

#: A shorter text has no trigram, so no index knows it.
_SHORTEST = 3
#: Error groups whose newest message is looked at.
_FINGERPRINTS = 1_000

_SQL = load(__file__)


def find_by_index(
    found: EntryQuerySet, text: str, order: Order, limit: int, *, visible: EntryQuerySet
) -> list[int] | None:
    """Find ids in the order of the list; None where no index can, or not in time.

    ``visible``: the entries whose messages may decide which groups are looked at.
    """
    if len(text) < _SHORTEST or SEPARATOR in text or not is_indexed():
        return None
    named = IndexedEntry.objects.filter(text__icontains=text).values("pk")
    parts = [found.filter(pk__in=named)]
    number = SEARCH.find_id(text)
    if number is not None:
        parts.append(found.filter(pk=number))
    keys: set[tuple[Any, ...]] = set()
    try:
        with time_budget(BUDGET_SECONDS):
            alike = _find_alike(text, visible)
            if alike:
                failed = found.filter(status=EntryStatus.FAILED, fingerprint__in=alike)
                parts.append(failed.filter(error_message__icontains=text))
            for part in parts:
                keys.update(part.order_by(*order.descending).values_list(*order.columns)[:limit])
    except OutOfTime:
        return None
    return [key[-1] for key in sorted(keys, reverse=True)[:limit]]


def _find_alike(text: str, visible: EntryQuerySet) -> list[str]:
    columns = ("fingerprint", "error_message", "failed_at", "id")
    failures, params = as_sql(visible.failed().order_by().values_list(*columns))
    params["pattern"] = f"%{connection.ops.prep_for_like_query(text)}%"
    params["most"] = _FINGERPRINTS
    # Django's own SQL, with its values bound like all others, so it cannot stand in the file.
    # Made part of the statement: a table of all failures would be written first.
    part = f"WITH failures ({', '.join(columns)}) AS NOT MATERIALIZED ({failures})"
    with connection.cursor() as cursor:
        cursor.execute(f"{part}\n{_SQL['find_alike']}", params)
        return [fingerprint for (fingerprint,) in cursor.fetchall()]
