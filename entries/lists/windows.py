"""The first entries of a list, which it looks at one by one where no index answers in time."""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet

from entries.models import EntryQuerySet
from entries.states import EntryStatus

#: For finding rows and counting them: a page whose rows no index finds still takes under 100 ms.
BUDGET_SECONDS = 0.02
#: For counting what was found: people read a page before its number.
COUNT_SECONDS = 0.01
#: For looking at the first entries; it takes a few milliseconds unless something blocks.
WINDOW_SECONDS = 2.0
#: How many of the first entries are looked at.
WINDOW = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By columns that an index has in this order, newest first unless it says otherwise."""

    columns: tuple[str, ...]
    oldest_first: bool = False

    @property
    def sorting(self) -> tuple[str, ...]:
        sign = "" if self.oldest_first else "-"
        return tuple(f"{sign}{column}" for column in self.columns)


BY_ID = Order(columns=("pk",))
#: Of failed entries.
BY_FAILURE = Order(columns=("failed_at", "pk"))


def choose_order(status: str | None, *, oldest_first: bool = False) -> Order:
    order = BY_FAILURE if status == EntryStatus.FAILED else BY_ID
    return replace(order, oldest_first=oldest_first)


@dataclass(frozen=True, slots=True)
class Window:
    """The first entries in an order. ``edge``: the last of them; None where these are all."""

    condition: Q
    edge: int | None

    def narrow(self, found: QuerySet[Any]) -> QuerySet[Any]:
        return found.filter(self.condition)


def open_window(visible: EntryQuerySet, order: Order, *, behind: int | None = None) -> Window:
    """Open it over the entries that may be seen: neither its size nor its edge tells of others."""
    rows = visible.failed() if order.columns == BY_FAILURE.columns else visible
    if behind is not None:
        rows = rows.filter(pk__lt=behind)
    ordered = rows.order_by(*order.sorting)
    edge = ordered.values_list(*order.columns)[WINDOW - 1 : WINDOW].first()
    if edge is None:
        return Window(Q(), None)
    # Of several entries with the same time some may be beyond the edge, which is no harm.
    side = "lte" if order.oldest_first else "gte"
    return Window(Q(**{f"{order.columns[0]}__{side}": edge[0]}), edge[-1])
