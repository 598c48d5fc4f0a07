"""The entries of an operation on its page, each with its outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.http import HttpRequest

from entries.admin.live import LiveFragment
from entries.models import Entry
from retry.admin.operations.address import get_part_url, get_return_query
from retry.admin.operations.words import OUTCOMES, describe_reason, list_outcomes
from retry.admin.shared.actor import get_actor
from retry.admin.shared.entry_list import get_back
from retry.models import Operation
from retry.operations.items import ITEM_ORDER, Item, list_items

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class ItemRow:
    """``entry``: None where there is none, or the user may not see it."""

    item: Item
    entry: Entry | None
    why: str


def build_items_context(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """Return the page of entries at ``?outcome=`` and ``?cursor=``.

    Raises ``ValueError`` for an unknown outcome or a cursor that no page has given.
    """
    outcome = request.GET.get("outcome") or None
    cursor = request.GET.get("cursor") or None
    place = ITEM_ORDER.parse(cursor) if cursor is not None else None
    actor = get_actor(request)
    page = list_items(operation, actor=actor, outcome=outcome, cursor=place, limit=PAGE_SIZE)
    listed = f"{page.items}{page.next_text}"
    return {
        "return_query": get_return_query(request),
        "back": get_back(request.GET),
        "items_live": LiveFragment(
            url=get_part_url(request, operation, "items"),
            version=sha256(listed.encode()).hexdigest()[:16],
            active=operation.ended_at is None,
            seconds=5,
        ),
        "outcome": outcome,
        "cursor": cursor,
        "outcomes": [(name, str(OUTCOMES[name])) for name in list_outcomes(operation)],
        "rows": _build_rows(request, page.items),
        "next_cursor": page.next_text,
    }


def _build_rows(request: HttpRequest, found: Sequence[Item]) -> list[ItemRow]:
    visible = Entry.objects.visible_to(request.user).only("id", "title", "external_id")
    entries = visible.in_bulk([item.entry_id for item in found])
    return [
        ItemRow(
            item=item,
            entry=entries.get(item.entry_id),
            why=describe_reason(item.reason) if item.reason else "",
        )
        for item in found
    ]
