"""Entries of the kind ``routed``, and holds on its upstreams."""

from entries.models import Entry
from retry.holds import control as holds
from retry.models import Hold
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT


def put(upstream: str = "dead") -> Hold:
    return holds.hold_kind("routed", upstream, actor=SCRIPT)


def lift(hold: Hold) -> None:
    holds.lift(hold.pk, actor=SCRIPT)


def routed(*upstreams: str, **given: object) -> list[int]:
    """Ids of entries that failed, one for each of the upstreams."""
    return [
        EntryFactory.create(kind="routed", payload={"to": to}, **{"failed": True, **given}).pk
        for to in upstreams
    ]


def by_upstream(ids: list[int], status: str) -> set[str]:
    found = Entry.objects.filter(pk__in=ids, status=status)
    return set(found.values_list("upstream", flat=True))
