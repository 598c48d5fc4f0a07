"""The names of sources and kinds: a filter by an unknown name is a mistake, not an empty answer."""

from entries.budget import OutOfTime, time_budget
from entries.kinds import registry
from entries.models import EVERYTHING, Entry, IndexBacklog, IndexedEntry, Scope, Source

#: Names that an error lists, as a help against misspelling.
MOST = 50
#: How long to look for entries of a kind that is no longer installed.
_SECONDS = 1.0


def list_sources(scope: Scope = EVERYTHING) -> list[str]:
    known = Source.objects.filter(scope.condition("pk")).order_by("slug")
    return list(known.values_list("slug", flat=True)[:MOST])


def list_kinds() -> list[str]:
    return registry.names()[:MOST]


def is_source(slug: str, scope: Scope = EVERYTHING) -> bool:
    """Whether there is such a source, and it may be seen."""
    if "\0" in slug:
        return False
    return Source.objects.filter(scope.condition("pk"), slug=slug).exists()


def is_kind(name: str, scope: Scope = EVERYTHING) -> bool:
    """Whether a kind is installed or has entries that may be seen.

    True where looking for them takes too long.
    """
    if name in registry.names():
        return True
    if "\0" in name:
        return False
    try:
        with time_budget(_SECONDS):
            if IndexedEntry.objects.filter(scope.condition("source_id"), kind=name).exists():
                return True
            found = Entry.objects.within(scope).filter(kind=name)
            return IndexBacklog.objects.exists() and found.exists()
    except OutOfTime:
        return True
