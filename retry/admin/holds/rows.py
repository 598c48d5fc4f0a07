"""The rows of the page of holds: kinds, upstreams and sources, those on hold first."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from entries.kinds import registry
from entries.models import Source
from retry.admin.holds.words import describe_waiting, get_waiting_counts
from retry.holds.overview import WaitingCounts
from retry.models import Hold

#: Sources on the page; each can also be put on hold on its own page.
MAX_SOURCES = 100
#: Upstreams on the page; the history has all of them.
MAX_UPSTREAMS = 100


_GONE = gettext_noop("This kind is not installed any more.")


@dataclass(frozen=True, slots=True)
class Row:
    """A kind, an upstream or a source (``field``), and its active hold, if any."""

    field: str
    value: str
    title: str
    hold: Hold | None
    waiting: str


def list_upstream_rows(holds: list[Hold], *, counting: bool) -> list[Row]:
    waiting = get_waiting_counts(holds) if counting else {}
    return [
        Row(
            "upstream",
            hold.upstream,
            _("of %(kind)s") % {"kind": hold.kind},
            hold,
            describe_waiting(waiting.get(hold.pk, WaitingCounts())) if counting else "",
        )
        for hold in holds
    ]


def list_rows(
    holds: list[Hold], *, known: QuerySet[Source], counting: bool
) -> tuple[list[Row], list[Row]]:
    """List kinds and the ``known`` sources, those on hold first.

    A kind that is gone is listed while on hold.

    ``counting``: with what waits, for users who may see all entries.
    """
    waiting = get_waiting_counts(holds) if counting else {}
    by_kind = {hold.kind: hold for hold in holds if hold.kind}
    by_source = {hold.source.slug: hold for hold in holds if hold.source}
    names = sorted({*registry.names(), *by_kind}, key=lambda name: (name not in by_kind, name))
    rest = known.exclude(slug__in=by_source).values_list("slug", "name")[:MAX_SOURCES]
    titles = {hold.source.slug: hold.source.name for hold in by_source.values() if hold.source}

    def row(field: str, value: str, title: str, hold: Hold | None) -> Row:
        count = waiting.get(hold.pk, WaitingCounts()) if hold and counting else None
        return Row(field, value, title, hold, describe_waiting(count) if count else "")

    kinds = [row("kind", name, _get_description(name), by_kind.get(name)) for name in names]
    sources = [row("source", s, n, by_source.get(s)) for s, n in [*titles.items(), *rest]]
    return kinds, sources


def _get_description(name: str) -> str:
    known = registry.all_kinds().get(name)
    return _(known.description if known else _GONE)
