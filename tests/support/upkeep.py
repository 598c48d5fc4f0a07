"""Entries as an older version, or a hand in the database, has left them."""

from collections.abc import Callable, Mapping

from entries.models import Entry, IndexBacklog, IndexedEntry, StatusChange
from retry import service
from retry.outcomes import Actor
from tests.factories.entries import EntryFactory


def without_upstreams() -> Callable[[Actor], object]:
    EntryFactory.create()
    Entry.objects.update(upstream="")
    return lambda actor: service.derive_upstreams(actor=actor)


def without_index() -> Callable[[Actor], object]:
    EntryFactory.create()
    forget_index()
    return lambda actor: service.index_entries(actor=actor)


def without_counts() -> Callable[[Actor], object]:
    EntryFactory.create()
    StatusChange.objects.all().delete()
    return lambda actor: service.recount_entries(actor=actor)


#: Scenes of the verbs that set stored entries right.
UPKEEP: Mapping[str, Callable[[], Callable[[Actor], object]]] = {
    "derive_upstreams": without_upstreams,
    "index_entries": without_index,
    "recount_entries": without_counts,
}


def forget_index() -> None:
    """Leave the index as its migration leaves it where there are many entries."""
    IndexedEntry.objects.all().delete()
    IndexBacklog.objects.create(last_id=Entry.objects.order_by("-pk").values_list("pk")[0][0])
