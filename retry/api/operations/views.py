"""Operations: list, watch, steer, retry what failed in one."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from retry import service
from retry.access.permissions import VIEW_OPERATION
from retry.access.records import visible_operations
from retry.api.http.resource import answer, parse_body, parse_query, refuse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import ReasonRequest
from retry.api.operations.requests import (
    ItemQuery,
    OperationQuery,
    RescheduleRequest,
    ResumeRequest,
)
from retry.api.operations.responses import (
    BulkProgressResponse,
    ItemPageResponse,
    OperationPage,
    OperationSummary,
)
from retry.api.operations.starts import parse_idempotency_key
from retry.operations.items import list_items
from retry.operations.progress import read_progress
from retry.operations.sight import find_operation, shield
from retry.outcomes import Actor

routes = Routes()


@routes.get("operations", needs=VIEW_OPERATION)
def list_operations(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, OperationQuery)
    found = visible_operations(actor)
    if query.state is not None:
        found = found.filter(state=query.state)
    page = query.read(found)
    shown = shield(page.items, actor=actor)
    results = [OperationSummary.from_operation(operation) for operation in shown]
    return answer(OperationPage(results=results, next_cursor=page.next_text))


@routes.get("operations/<uuid:operation_id>", name="operation", needs=VIEW_OPERATION)
def show_operation(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    refuse_query(request)
    return _answer_progress(operation_id, actor)


@routes.get("operations/<uuid:operation_id>/items", name="items", needs=VIEW_OPERATION)
def show_items(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    query = parse_query(request, ItemQuery)
    operation = find_operation(operation_id, actor=actor)
    page = list_items(
        operation, actor=actor, outcome=query.outcome, cursor=query.cursor, limit=query.limit
    )
    return answer(ItemPageResponse.from_page(page))


@routes.post("operations/<uuid:operation_id>/pause", name="pause")
def pause(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.pause_operation(operation_id, actor=actor, reason=body.reason)
    return _answer_progress(operation_id, actor)


@routes.post("operations/<uuid:operation_id>/resume", name="resume")
def resume(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ResumeRequest)
    service.resume_operation(
        operation_id, actor=actor, reason=body.reason, overrule_canary=body.overrule_canary
    )
    return _answer_progress(operation_id, actor)


@routes.post("operations/<uuid:operation_id>/cancel", name="cancel")
def cancel(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.cancel_operation(operation_id, actor=actor, reason=body.reason)
    return _answer_progress(operation_id, actor)


@routes.post("operations/<uuid:operation_id>/reschedule", name="reschedule")
def reschedule(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, RescheduleRequest)
    service.reschedule_operation(
        operation_id, start_at=body.start_at, actor=actor, reason=body.reason
    )
    return _answer_progress(operation_id, actor)


@routes.post("operations/<uuid:operation_id>/approve", name="approve")
def approve(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.approve_operation(operation_id, actor=actor, reason=body.reason)
    return _answer_progress(operation_id, actor)


@routes.post("operations/<uuid:operation_id>/reject", name="reject")
def reject(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.reject_operation(operation_id, actor=actor, reason=body.reason)
    return _answer_progress(operation_id, actor)


@routes.post("operations/<uuid:operation_id>/retry-failed", name="retry-failed")
def retry_failed(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    key = parse_idempotency_key(request)
    body = parse_body(request, ReasonRequest)
    operation = service.retry_failed(
        operation_id, actor=actor, reason=body.reason, idempotency_key=key
    )
    return _answer_progress(operation.pk, actor, status=202)


def _answer_progress(operation_id: UUID, actor: Actor, *, status: int = 200) -> HttpResponse:
    found = read_progress(operation_id, actor=actor)
    return answer(BulkProgressResponse.from_progress(found), status=status)
