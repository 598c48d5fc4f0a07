"""The newest entries, which a list looks at one by one where no index answers in time."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from entries.models import EntryQuerySet
from entries.states import EntryStatus

#: For finding rows and counting them: a page whose rows no index finds still takes under 100 ms.
BUDGET_SECONDS = 0.05
#: For looking at the newest entries; it takes a few milliseconds unless something blocks.
WINDOW_SECONDS = 2.0
#: How many of the newest entries are looked at.
WINDOW = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Newest first, by columns that an index has in this order."""

    columns: tuple[str, ...]

    @property
    def descending(self) -> tuple[str, ...]:
        return tuple(f"-{column}" for column in self.columns)


BY_ID = Order(columns=("pk",))
#: Of failed entries.
BY_FAILURE = Order(columns=("failed_at", "pk"))


def choose_order(status: str | None) -> Order:
    return BY_FAILURE if status == EntryStatus.FAILED else BY_ID


@dataclass(frozen=True, slots=True)
class Window:
    """The newest entries in an order. ``edge``: the last of them; None where these are all."""

    condition: Q
    edge: int | None

    def narrow(self, found: QuerySet[Any]) -> QuerySet[Any]:
        return found.filter(self.condition)


def open_window(visible: EntryQuerySet, order: Order, *, behind: int | None = None) -> Window:
    """Open it over the entries that may be seen: neither its size nor its edge tells of others."""
    rows = visible.failed() if order is BY_FAILURE else visible
    if behind is not None:
        rows = rows.filter(pk__lt=behind)
    ordered = rows.order_by(*order.descending)
    edge = ordered.values_list(*order.columns)[WINDOW - 1 : WINDOW].first()
    if edge is None:
        return Window(Q(), None)
    # Of several entries with the same time some may be beyond the edge, which is no harm.
    return Window(Q(**{f"{order.columns[0]}__gte": edge[0]}), edge[-1])
