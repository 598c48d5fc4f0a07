"""The verbs of approval: a second person lets a large operation start, or refuses it."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from retry.access.permissions import APPROVE_OPERATION
from retry.models import Operation, OperationState
from retry.operations.changes import steer
from retry.operations.errors import OwnOperation
from retry.operations.selection import mask_selection
from retry.outcomes import Actor
from retry.runs.plan import cancel_planned_runs
from retry.sentences import REJECTED, REJECTED_BECAUSE


def needs_approval(entries: int) -> bool:
    """Return whether an operation on so many entries awaits approval."""
    return 0 < settings.REDRIVE_APPROVAL_ABOVE < entries


def approve(operation_id: UUID, *, actor: Actor, reason: str = "") -> Operation:
    """Let an operation start that awaits approval: exactly the entries that were frozen, at the
    pace that was requested.

    Raises ``OwnOperation`` where the actor requested it, ``NotAwaitingApproval``, ``NotPermitted``,
    ``OperationNotFound`` and ``OperationFinished``.
    """

    def change(operation: Operation) -> dict[str, Any]:
        _decide(operation, actor)
        operation.state = OperationState.PLANNED
        return {
            "selection": mask_selection(operation.selection),
            "total": operation.total,
            "requested_by": operation.actor_label,
        }

    return steer(
        operation_id,
        "approve",
        actor=actor,
        reason=reason,
        change=change,
        permission=APPROVE_OPERATION,
    )


def reject(operation_id: UUID, *, actor: Actor, reason: str = "") -> Operation:
    """Refuse approval: the operation is cancelled and no entry was touched. Raises as ``approve``.

    Who requested it can cancel it.
    """

    def change(operation: Operation) -> dict[str, Any]:
        _decide(operation, actor)
        operation.state = OperationState.CANCELLED
        operation.pause_reason = (REJECTED_BECAUSE(reason=reason) if reason else REJECTED())[:300]
        cancel_planned_runs(operation)
        return {"requested_by": operation.actor_label}

    return steer(
        operation_id,
        "reject",
        actor=actor,
        reason=reason,
        change=change,
        permission=APPROVE_OPERATION,
    )


def is_own(operation: Operation, actor: Actor) -> bool:
    """Return whether the actor requested the operation, over whichever channel."""
    same_user = actor.user_id is not None and actor.user_id == operation.actor_id
    return same_user or actor.label[:150] == operation.actor_label


def _decide(operation: Operation, actor: Actor) -> None:
    if is_own(operation, actor):
        raise OwnOperation(operation.pk)
    operation.decided_by = actor.label[:150]
    # By the database's clock; read back with the rest.
    operation.decided_at = Now()
