"""The one way in which people change an operation that exists."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction

from retry import audit, wakeup
from retry.access.permissions import OPERATE
from retry.access.records import sees_operation
from retry.access.scopes import TokenScope
from retry.access.visibility import sees_nothing
from retry.errors import OperationFinished, OperationNotFound
from retry.models import Action, Operation, OperationState
from retry.notices.events import record_operation_pause
from retry.operations.errors import AwaitingApproval, NotAwaitingApproval, OperationBegun
from retry.operations.moves import FINISHED, find_move
from retry.operations.sight import require_whole
from retry.outcomes import Actor


def steer(
    operation_id: UUID,
    verb: str,
    *,
    actor: Actor,
    reason: str,
    change: Callable[[Operation], dict[str, Any] | None],
    permission: str = "",
    ending: bool = False,
) -> Operation:
    """Lock, check, change and audit in one transaction; repeating it changes nothing.

    An actor from whom entries of it are hidden may steer it only where it is their own and the verb
    is ``ending`` it.

    ``permission``: the one that the operation's action needs, unless given. ``change`` returns what
    the audit says besides the state, or None where it changed nothing. Raises ``NotPermitted``,
    ``OperationNotFound``, ``OperationFinished``, ``AwaitingApproval``, ``NotAwaitingApproval`` and
    ``OperationBegun``.
    """
    with transaction.atomic():
        operation = Operation.objects.select_for_update().filter(pk=operation_id).first()
        # Before any permission: to be refused says that there is one, and what it does.
        if operation is None or not sees_operation(operation, actor=actor):
            raise OperationNotFound(operation_id)
        if not permission:
            actor.require_scope(TokenScope.OPERATIONS)
        actor.require(permission or OPERATE[Action(operation.action)])
        if sees_nothing(actor):  # and so none of its entries
            raise OperationNotFound(operation_id)
        require_whole(operation, actor=actor, own=ending)
        _check(operation, verb)
        before = operation.state
        if before not in find_move(verb).sources:  # repeated
            return operation
        more = change(operation)
        if more is None:
            return operation
        operation.save()
        operation.refresh_from_db()
        record(
            verb,
            operation,
            actor=actor,
            reason=reason,
            before={"state": before},
            after={"state": operation.state, **more},
        )
        if verb == "pause":
            record_operation_pause(operation, why=reason, acted_by=actor.user_id)
        wakeup.notify()
    return operation


def _check(operation: Operation, verb: str) -> None:
    """Raise the error that says why the verb is impossible in this state."""
    move, state = find_move(verb), OperationState(operation.state)
    if state in FINISHED:
        raise OperationFinished(state=state)
    decision = move.sources == {OperationState.AWAITING}
    if state in move.sources or (state in move.targets and (operation.decided_by or not decision)):
        return
    if state == OperationState.AWAITING:
        raise AwaitingApproval(operation.pk)
    if decision:
        raise NotAwaitingApproval(operation.pk)
    raise OperationBegun(operation.pk)


def record(
    verb: str,
    operation: Operation,
    *,
    actor: Actor,
    reason: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write the audit of a verb about an operation."""
    audit.record(
        verb,
        actor=actor,
        count=operation.total,
        reason=reason,
        operation_id=operation.pk,
        before=before,
        after=after or {"state": operation.state},
    )
