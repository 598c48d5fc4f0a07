"""Finding entries by the indexes of what no transition writes."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q

from entries.filters import EntryFilter
from entries.models import EntryQuerySet, IndexBacklog, IndexedEntry, Source
from entries.states import EntryStatus

#: Few entries have one of these at a time, or indexes of their own answer.
_INDEXED_BY_STATUS = frozenset(
    {
        EntryStatus.FAILED,
        EntryStatus.SCHEDULED,
        EntryStatus.PENDING,
        EntryStatus.QUEUED,
        EntryStatus.RUNNING,
    }
)


def is_indexed() -> bool:
    """Whether ``IndexedEntry`` has every entry."""
    return not IndexBacklog.objects.exists()


def use_index(
    found: EntryQuerySet,
    *,
    status: str | None = None,
    source: str | None = None,
    kind: str | None = None,
    upstream: str | None = None,
) -> EntryQuerySet:
    """Return the same entries, found by the indexes of what does not change with the status.

    ``found`` must be filtered by these values already; an empty ``source`` means entries of none.
    """
    if status in _INDEXED_BY_STATUS or not is_indexed():
        return found
    wanted: dict[str, Any] = {"kind": kind, "upstream": upstream}
    wanted = {name: value for name, value in wanted.items() if value and "\0" not in value}
    if source == "":
        wanted["source_id"] = None
    elif source is not None and "\0" not in source:
        wanted["source_id"] = Source.objects.filter(slug=source).values("pk")[:1]
    if not wanted:
        return found
    return found.filter(pk__in=IndexedEntry.objects.filter(_equals(wanted)).values("pk"))


def narrow(found: EntryQuerySet, chosen: EntryFilter) -> EntryQuerySet:
    """Filter ``found`` by all that is chosen but the search."""
    return use_index(
        found.filter(chosen.without_search().condition()),
        status=chosen.status,
        source=chosen.source,
        kind=chosen.kind,
        upstream=chosen.upstream,
    )


def _equals(wanted: Mapping[str, Any]) -> Q:
    condition = Q()
    for name, value in wanted.items():
        condition &= Q(**{f"{name}__isnull": True}) if value is None else Q(**{name: value})
    return condition
