"""Operations: list, watch, steer, retry what failed in one."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse

from retry import service
from retry.access.permissions import VIEW_OPERATION
from retry.access.records import visible_operations
from retry.api.http.links import answer_location, build_operation_address
from retry.api.http.progress import WaitQuery, answer_progress
from retry.api.http.resource import answer, parse_body, parse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import ReasonRequest
from retry.api.http.watch import Subject
from retry.api.operations.answers import read_operation
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
from retry.operations.sight import find_operation, shield
from retry.outcomes import Actor

routes = Routes()


@routes.get("operations", needs=VIEW_OPERATION, query=OperationQuery, answers=OperationPage)
def list_operations(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, OperationQuery)
    found = visible_operations(actor)
    if query.state is not None:
        found = found.filter(state=query.state)
    if query.created_after is not None:
        found = found.filter(created_at__gte=query.created_after)
    if query.created_before is not None:
        found = found.filter(created_at__lt=query.created_before)
    page = query.read(found)
    shown = shield(page.items, actor=actor)
    results = [OperationSummary.from_operation(operation) for operation in shown]
    return answer(OperationPage(results=results, next_cursor=query.sign(page.next_cursor)))


@routes.get(
    "operations/<uuid:operation_id>",
    name="operation",
    needs=VIEW_OPERATION,
    query=WaitQuery,
    answers=BulkProgressResponse,
)
def show_operation(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    return answer_progress(
        request,
        Subject.OPERATION,
        operation_id,
        lambda: read_operation(operation_id, actor=actor),
    )


@routes.get(
    "operations/<uuid:operation_id>/items",
    name="items",
    needs=VIEW_OPERATION,
    query=ItemQuery,
    answers=ItemPageResponse,
)
def show_items(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    query = parse_query(request, ItemQuery)
    operation = find_operation(operation_id, actor=actor)
    page = list_items(
        operation,
        actor=actor,
        outcome=query.outcome,
        cursor=query.place(operation_id),
        limit=query.limit,
    )
    after = query.sign(page.next_cursor, operation_id)
    return answer(ItemPageResponse.from_page(page, next_cursor=after))


@routes.post(
    "operations/<uuid:operation_id>/pause",
    name="pause",
    body=ReasonRequest,
    answers=BulkProgressResponse,
)
def pause(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.pause_operation(operation_id, actor=actor, reason=body.reason)
    return _answer(operation_id, actor)


@routes.post(
    "operations/<uuid:operation_id>/resume",
    name="resume",
    body=ResumeRequest,
    answers=BulkProgressResponse,
)
def resume(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ResumeRequest)
    service.resume_operation(
        operation_id, actor=actor, reason=body.reason, overrule_canary=body.overrule_canary
    )
    return _answer(operation_id, actor)


@routes.post(
    "operations/<uuid:operation_id>/cancel",
    name="cancel",
    body=ReasonRequest,
    answers=BulkProgressResponse,
)
def cancel(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.cancel_operation(operation_id, actor=actor, reason=body.reason)
    return _answer(operation_id, actor)


@routes.post(
    "operations/<uuid:operation_id>/reschedule",
    name="reschedule",
    body=RescheduleRequest,
    answers=BulkProgressResponse,
)
def reschedule(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, RescheduleRequest)
    service.reschedule_operation(
        operation_id, start_at=body.start_at, actor=actor, reason=body.reason
    )
    return _answer(operation_id, actor)


@routes.post(
    "operations/<uuid:operation_id>/approve",
    name="approve",
    body=ReasonRequest,
    answers=BulkProgressResponse,
)
def approve(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.approve_operation(operation_id, actor=actor, reason=body.reason)
    return _answer(operation_id, actor)


@routes.post(
    "operations/<uuid:operation_id>/reject",
    name="reject",
    body=ReasonRequest,
    answers=BulkProgressResponse,
)
def reject(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.reject_operation(operation_id, actor=actor, reason=body.reason)
    return _answer(operation_id, actor)


@routes.post(
    "operations/<uuid:operation_id>/retry-failed",
    name="retry-failed",
    body=ReasonRequest,
    answers=BulkProgressResponse,
    status=202,
)
def retry_failed(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    key = parse_idempotency_key(request)
    body = parse_body(request, ReasonRequest)
    operation = service.retry_failed(
        operation_id, actor=actor, reason=body.reason, idempotency_key=key
    )
    model = read_operation(operation.pk, actor=actor).model
    return answer_location(model, build_operation_address(operation.pk))


def _answer(operation_id: UUID, actor: Actor) -> HttpResponse:
    return answer(read_operation(operation_id, actor=actor).model)
