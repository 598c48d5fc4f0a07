"""Entries as an older version has left them."""

from collections.abc import Callable

from entries.models import Entry, IndexBacklog, IndexedEntry
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


def forget_index() -> None:
    """Leave the index as its migration leaves it where there are many entries."""
    IndexedEntry.objects.all().delete()
    IndexBacklog.objects.create(last_id=Entry.objects.order_by("-pk").values_list("pk")[0][0])
