"""An operation as an actor sees it: the entries of their sources, and no number of others.

An operation that is under way keeps the rights of its beginning: it continues with the entries that
were frozen, whatever its requester may see by now.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from entries.models import EVERYTHING
from entries.sql import load
from retry.access.payloads import chooses_by_payload
from retry.access.permissions import VIEW_ALL_SOURCES, VIEW_PAYLOAD
from retry.access.records import (
    is_requester,
    sees_operation,
    sees_whole_operation,
)
from retry.access.visibility import find_sources
from retry.errors import NotPermitted, OperationNotFound
from retry.models import Operation
from retry.outcomes import Actor

_SQL = load(__file__)
#: ``in_sight``, for statements that read the runs ``r`` of operations.
FRAGMENTS = _SQL.fragments
#: Stands for the selection of others, which may name what is hidden.
PARTLY_HIDDEN = "the entries that you may see"
BY_PAYLOAD = "entries by what is in their payloads"


def build_sight(actor: Actor | None) -> dict[str, Any]:
    """Return the parameters of ``in_sight``; without an actor everything is."""
    if actor is None:
        return {**EVERYTHING.as_params(), "viewer": None}
    return {**find_sources(actor).as_params(), "viewer": actor.user_id}


def find_operation(operation_id: UUID, *, actor: Actor | None) -> Operation:
    """Find an operation as the actor sees it; None sees all of it. Raises ``OperationNotFound``."""
    operation = Operation.objects.filter(pk=operation_id).first()
    if operation is None or (actor is not None and not sees_operation(operation, actor=actor)):
        raise OperationNotFound(operation_id)
    return shield([operation], actor=actor)[0]


def shield(operations: Sequence[Operation], *, actor: Actor | None) -> Sequence[Operation]:
    """Blank, in instances that are only shown, what tells of entries that are hidden.

    The total becomes that of what may be seen. One statement where something is hidden.
    """
    if actor is None or not operations:
        return operations
    if not actor.may(VIEW_PAYLOAD):
        _hide_payloads(operations)
    if find_sources(actor).everything:
        return operations
    ids = [operation.pk for operation in operations]
    with connection.cursor() as cursor:
        cursor.execute(_SQL["visible_total"], {"operations": ids, **build_sight(actor)})
        totals = {id_: int(total) for id_, total in cursor.fetchall()}
    for operation in operations:
        operation.total = totals.get(operation.pk, 0)
        if sees_whole_operation(operation, actor=actor):
            continue
        operation.pause_reason = ""
        if not is_requester(operation, actor=actor):
            operation.selection, operation.selection_words = {}, PARTLY_HIDDEN
            operation.reason, operation.repair = "", None
    return operations


def _hide_payloads(operations: Sequence[Operation]) -> None:
    for operation in operations:
        operation.repair = None
        if chooses_by_payload(operation.selection):
            operation.selection, operation.selection_words = {}, BY_PAYLOAD


def require_whole(operation: Operation, *, actor: Actor, own: bool = False) -> None:
    """Check that an actor may steer an operation: that none of its entries are hidden from them.

    ``own``: or that they have requested it, to end what they have begun. Raises ``NotPermitted``.
    """
    if sees_whole_operation(operation, actor=actor) or (
        own and is_requester(operation, actor=actor)
    ):
        return
    raise NotPermitted(VIEW_ALL_SOURCES)
