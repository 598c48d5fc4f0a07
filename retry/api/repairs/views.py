"""Repairs: change payloads and retry, many or one; undo what a repair changed."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from retry import service
from retry.access.permissions import CHANGE_ENTRY, RETRY_ENTRY, VIEW_PAYLOAD
from retry.api.entries.answers import answer_item
from retry.api.entries.schemas import RetryResponse
from retry.api.http.links import answer_location, build_operation_address
from retry.api.http.resource import answer, parse_body
from retry.api.http.routes import Routes
from retry.api.http.schemas import MAX_ID, ReasonRequest
from retry.api.operations.answers import read_operation
from retry.api.operations.responses import (
    BulkProgressResponse,
    BulkRetryResponse,
)
from retry.api.operations.starts import answer_start, parse_idempotency_key
from retry.api.repairs.schemas import EditRequest, RepairPreviewResponse, RepairRequest
from retry.errors import EntryNotFound
from retry.models import Action
from retry.operations.repairs import preview_repair
from retry.operations.selection import preview
from retry.outcomes import Actor

routes = Routes()


@routes.post(
    "repair",
    body=RepairRequest,
    answers=BulkRetryResponse,
    status=202,
    also={200: RepairPreviewResponse},
)
def repair(request: HttpRequest, actor: Actor) -> HttpResponse:
    key = parse_idempotency_key(request)
    body = parse_body(request, RepairRequest)
    actor.require(CHANGE_ENTRY)
    actor.require(RETRY_ENTRY)
    actor.require(VIEW_PAYLOAD)
    selection, change = body.selection(), body.repair.build()
    if body.dry_run:
        found = preview_repair(selection, change, actor=actor)
        return answer(RepairPreviewResponse.from_preview(found))
    counts = preview(selection, action=Action.REPAIR, actor=actor)
    operation = service.start_operation(
        selection,
        action=Action.REPAIR,
        actor=actor,
        reason=body.reason,
        pace=body.pace(),
        repair=change,
        idempotency_key=key,
    )
    return answer_start(operation, counts, actor=actor)


@routes.post(
    "operations/<uuid:operation_id>/undo",
    name="undo",
    body=ReasonRequest,
    answers=BulkProgressResponse,
    status=202,
)
def undo(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    key = parse_idempotency_key(request)
    body = parse_body(request, ReasonRequest)
    actor.require(CHANGE_ENTRY)
    operation = service.undo_repair(
        operation_id, actor=actor, reason=body.reason, idempotency_key=key
    )
    model = read_operation(operation.pk, actor=actor).model
    return answer_location(model, build_operation_address(operation.pk))


@routes.post(
    "entries/<int:entry_id>/edit", name="edit", body=EditRequest, answers=RetryResponse, status=202
)
def edit(request: HttpRequest, actor: Actor, entry_id: int) -> HttpResponse:
    body = parse_body(request, EditRequest)
    if entry_id > MAX_ID:
        raise EntryNotFound(entry_id)
    item, dispatched = service.edit_and_retry(
        entry_id,
        seen=body.seen,
        title=body.title,
        payload=body.payload,
        actor=actor,
        reason=body.reason,
    )
    return answer_item(item, dispatched=dispatched)
