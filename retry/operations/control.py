"""The verbs of operations: start, reschedule, pause, resume, cancel, retry what failed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from entries.phrases import phrase
from entries.repairs import Repair
from retry import wakeup
from retry.access.permissions import OPERATE, RETRY_ENTRY, VIEW_PAYLOAD
from retry.access.visibility import visible_sources
from retry.errors import OperationNotFound, RepairRefused
from retry.models import Action, Operation, OperationState, PauseCause
from retry.notices.events import record_operation_awaiting
from retry.operations.approval import needs_approval
from retry.operations.changes import record, steer
from retry.operations.errors import ApprovedAsItIs, OperationBegun, TooManyOperations
from retry.operations.freeze import freeze
from retry.operations.idempotency import IdempotencyKey
from retry.operations.moves import OPEN
from retry.operations.pace import Pace
from retry.operations.selection import Selection
from retry.operations.sight import find_operation
from retry.outcomes import Actor
from retry.runs.canary import draw_canary
from retry.runs.plan import cancel_planned_runs


def start(
    selection: Selection,
    *,
    action: Action,
    actor: Actor,
    reason: str = "",
    pace: Pace | None = None,
    only_if_changed: bool = False,
    repair: Repair | None = None,
    idempotency_key: str | IdempotencyKey | None = None,
) -> Operation:
    """Freeze the selection into planned runs, which the dispatcher starts: at once, at a time, or
    when a second person has approved so many entries.

    ``only_if_changed``: a resync processes only what its source has changed. ``repair``: what
    ``Action.REPAIR`` changes in payloads before it retries; needed for it alone. The same
    ``idempotency_key`` from the same actor returns the same operation; a caller that asks for more
    than this makes it of its own request. Raises ``NotPermitted``,
    ``EmptySelection``, ``TooManyEntries``, ``NoSuchName``, ``TooManyOperations`` and, for the key
    of another request, ``IdempotencyKeyReused``; all before anything is created.
    """
    actor.require(OPERATE[action])
    if action is Action.REPAIR:
        actor.require(RETRY_ENTRY)
        actor.require(VIEW_PAYLOAD)
    if (repair is not None) != (action is Action.REPAIR):
        raise RepairRefused(phrase("A repair needs a JSON Patch or the name of a repair."))
    selection.check(actor=actor)
    pace = pace or Pace()
    key = idempotency_key if isinstance(idempotency_key, IdempotencyKey) else None
    if isinstance(idempotency_key, str):
        key = IdempotencyKey.from_request(
            idempotency_key,
            action=action.value,
            selection=selection.identity(),
            reason=reason,
            pace=pace.identity(),
            only_if_changed=only_if_changed,
            repair=repair.data() if repair else None,
            **_list_sources(actor),
        )
    if key is not None:
        known = key.find_operation(actor)
        if known is not None:
            return known
    _check_open(actor)
    try:
        return _create(
            selection,
            action=action,
            actor=actor,
            reason=reason,
            pace=pace,
            only_if_changed=only_if_changed,
            repair=repair,
            key=key,
        )
    except IntegrityError:
        # Another request with the same key was faster.
        known = key.find_operation(actor) if key is not None else None
        if known is None:
            raise
        return known


def _create(
    selection: Selection,
    *,
    action: Action,
    actor: Actor,
    reason: str,
    pace: Pace,
    only_if_changed: bool,
    repair: Repair | None,
    key: IdempotencyKey | None,
) -> Operation:
    with transaction.atomic():
        operation = Operation.objects.create(
            action=action,
            actor_id=actor.user_id,
            actor_label=actor.label,
            request_id=actor.request_id,
            reason=reason[:500],
            selection=selection.data(),
            selection_words=_describe(selection, actor)[:1000],
            rate_per_second=pace.rate_per_second,
            start_at=pace.start_at,
            canary_size=pace.steps[0] if pace.steps else 0,
            ramp=list(pace.steps) if pace.ramp else [],
            only_if_changed=only_if_changed and action == Action.RESYNC,
            max_failure_rate=pace.failure_limit,
            repair=repair.data() if repair else None,
            idempotency_key=key.key if key is not None else None,
            idempotency_digest=key.digest if key is not None else "",
        )
        freeze(operation, selection, actor=actor)
        if needs_approval(operation.total):
            operation.state = OperationState.AWAITING
        operation.save(update_fields=["total", "source_ids", "state"])
        told = selection.mask() | ({"repair": repair.mask()} if repair else {})
        record(f"start_{action.value}", operation, actor=actor, reason=reason, after=told)
        if operation.state == OperationState.AWAITING:
            record_operation_awaiting(operation)
        wakeup.notify()
    return operation


def _check_open(actor: Actor) -> None:
    """Raise ``TooManyOperations``. Requests at the same moment may each find room for one more."""
    limit = settings.REDRIVE_OPEN_OPERATIONS
    if actor.user_id is None or not limit:
        return
    found = Operation.objects.filter(actor=actor.user_id, state__in=OPEN)
    if found[:limit].count() >= limit:
        raise TooManyOperations(limit=limit)


def _list_sources(actor: Actor) -> dict[str, Any]:
    """Return what tells a narrowed token's request from one that means more."""
    return {} if actor.sources is None else {"sources": sorted(actor.sources)}


def _describe(selection: Selection, actor: Actor) -> str:
    if actor.sources is None:
        return selection.words()
    slugs = visible_sources(actor).order_by("slug").values_list("slug", flat=True)
    return f"{selection.words()}, of the sources {', '.join(slugs)}"


def reschedule(
    operation_id: UUID, *, start_at: datetime | None, actor: Actor, reason: str = ""
) -> Operation:
    """Let an operation that has not begun start at another time, or as soon as it can.

    Raises ``OperationBegun``, and ``ApprovedAsItIs`` where a second person has approved it: what
    was approved is what runs.
    """

    def change(operation: Operation) -> dict[str, Any] | None:
        if operation.started_at is not None:
            raise OperationBegun(operation.pk)
        if operation.decided_by:
            raise ApprovedAsItIs(operation.pk)
        if operation.start_at == start_at:
            return None
        operation.start_at = start_at
        return {"start_at": start_at.isoformat() if start_at else None}

    return steer(operation_id, "reschedule", actor=actor, reason=reason, change=change)


def pause(operation_id: UUID, *, actor: Actor, reason: str = "") -> Operation:
    """Start nothing more; workers finish the entries they are processing."""

    def change(operation: Operation) -> dict[str, Any]:
        operation.state = OperationState.PAUSED
        operation.pause_reason = reason[:300]
        operation.pause_cause = PauseCause.PERSON
        return {}

    return steer(operation_id, "pause", actor=actor, reason=reason, change=change, ending=True)


def resume(
    operation_id: UUID, *, actor: Actor, reason: str = "", overrule_canary: bool = False
) -> Operation:
    """Resume after a pause. Pace and failure limit count from now; a start at a time still holds.

    An operation that paused itself (failed canary, too many failures) first runs a new canary of
    the same size, drawn from the rest, or its ramp from the first step, unless ``overrule_canary``;
    the audit says which. A canary that was under way when a person paused is continued.
    """

    def change(operation: Operation) -> dict[str, Any]:
        paused_itself = operation.pause_cause in {PauseCause.CANARY, PauseCause.LIMIT}
        operation.state = OperationState.RUNNING if operation.started_at else OperationState.PLANNED
        operation.pause_reason = operation.pause_cause = ""
        operation.paced_entries = 0
        # By the database's clock, like everything it is compared with.
        operation.resumed_at = Now()
        if not operation.canary_size:
            return {}
        if overrule_canary:
            operation.canary_done = True
            operation.canary_overruled_by = actor.label[:150]
        elif paused_itself:
            operation.canary_done = False
            operation.canary_overruled_by = ""
            operation.canary_since = Now()
            operation.ramp_step = 0
            draw_canary(operation, wanted=operation.step_size)
        return {"canary": operation.canary_state}

    return steer(operation_id, "resume", actor=actor, reason=reason, change=change)


def cancel(operation_id: UUID, *, actor: Actor, reason: str = "") -> Operation:
    """Start nothing more; queued entries return to their previous status, running ones finish.

    Planned runs are cancelled at once; the dispatcher unwinds queued ones, batch by batch.
    """

    def change(operation: Operation) -> dict[str, Any]:
        operation.state = OperationState.CANCELLED
        operation.pause_reason = operation.pause_cause = ""
        cancel_planned_runs(operation)
        return {}

    return steer(operation_id, "cancel", actor=actor, reason=reason, change=change, ending=True)


def retry_failed(
    operation_id: UUID, *, actor: Actor, reason: str = "", idempotency_key: str | None = None
) -> Operation:
    """Start an operation on what failed in this one, by ``choose_retry_action``."""
    operation = find_operation(operation_id, actor=actor)
    return start(
        Selection(failed_of=operation_id),
        action=choose_retry_action(operation),
        actor=actor,
        reason=reason,
        idempotency_key=idempotency_key,
    )


def undo_repair(
    operation_id: UUID, *, actor: Actor, reason: str = "", idempotency_key: str | None = None
) -> Operation:
    """Start an operation that gives back what a repair changed, where it was not changed since.

    Raises ``OperationNotFound`` for an operation that is no repair.
    """
    if find_operation(operation_id, actor=actor).action != Action.REPAIR:
        raise OperationNotFound(operation_id)
    return start(
        Selection(repaired_by=operation_id),
        action=Action.UNDO,
        actor=actor,
        reason=reason,
        idempotency_key=idempotency_key,
    )


def choose_retry_action(operation: Operation) -> Action:
    """Return resync for a resync, retry for all others.

    An entry whose source could not be read is not ``failed``: it has its previous status.
    """
    return Action.RESYNC if operation.action == Action.RESYNC else Action.RETRY
