"""Finding entries by the indexes of what no transition writes."""

from django.db.models import QuerySet

from entries.filters import EntryFilter
from entries.lists.received import filter_received
from entries.models import EntryQuerySet, IndexBacklog, IndexedEntry, Source
from entries.models.indexed import SEPARATOR
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


def find_rows(
    *, source: str | None = None, kind: str | None = None, upstream: str | None = None
) -> QuerySet[IndexedEntry] | None:
    """Return the index's rows with all of these values; None where none is given.

    An empty value is a value: an empty ``source`` means entries of none.
    """
    given = {"source": source, "kind": kind, "upstream": upstream}
    texts = {name: value for name, value in given.items() if value is not None}
    if not texts or any("\0" in value for value in texts.values()):
        return None
    rows = IndexedEntry.objects.all()
    for name, value in texts.items():
        if name != "source":
            rows = rows.filter(**{name: value})
        elif value:
            rows = rows.filter(source_id=Source.objects.filter(slug=value).values("pk")[:1])
        else:
            rows = rows.filter(source_id=None)
    return rows


def find_alone(chosen: EntryFilter, *, visible: EntryQuerySet) -> QuerySet[IndexedEntry] | None:
    """Return the index's rows, where they are all that is chosen of what is ``visible``.

    None where something else decides as well, which only the entries know.
    """
    source, kind, upstream = chosen.source, chosen.kind, chosen.upstream
    alone = EntryFilter(source=source, kind=kind, upstream=upstream)
    if chosen != alone or visible.query.where or not is_indexed():
        return None
    # For a filter, an empty value is none.
    return find_rows(source=source or None, kind=kind or None, upstream=upstream or None)


def use_index(
    found: EntryQuerySet,
    *,
    status: str | None = None,
    source: str | None = None,
    kind: str | None = None,
    upstream: str | None = None,
    indexed: bool | None = None,
) -> EntryQuerySet:
    """Return the same entries, found by the indexes of what does not change with the status.

    ``found`` must be filtered by these values already. ``indexed``: what ``is_indexed`` returns,
    where that is known.
    """
    rows = find_rows(source=source, kind=kind, upstream=upstream)
    if rows is None or status in _INDEXED_BY_STATUS:
        return found
    if not (is_indexed() if indexed is None else indexed):
        return found
    return found.filter(pk__in=rows.values("pk"))


def narrow(
    found: EntryQuerySet, chosen: EntryFilter, *, indexed: bool | None = None
) -> EntryQuerySet:
    """Filter ``found`` by all that is chosen but the search; ``indexed`` as for ``use_index``."""
    found = found.filter(chosen.without_search().condition())
    found = filter_received(found, chosen)
    if chosen.external_id and (is_indexed() if indexed is None else indexed):
        # What begins alike in upper case is more than what is meant, and the index finds it.
        alike = IndexedEntry.objects.filter(text__istartswith=f"{chosen.external_id}{SEPARATOR}")
        found = found.filter(pk__in=alike.values("pk"))
    return use_index(
        found,
        status=chosen.status,
        # For a filter, an empty value is none.
        source=chosen.source or None,
        kind=chosen.kind or None,
        upstream=chosen.upstream or None,
        indexed=indexed,
    )
