"""Bulk operations over JSON: parse, call, answer."""

import re
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from entries.models import Source
from entries.names import known_sources
from retry import service
from retry.access.permissions import OPERATE, VIEW_OPERATION
from retry.api.http import problems
from retry.api.http.resource import answer, api_view, parse_body, parse_query
from retry.api.http.schemas import NoQuery, RetryResponse, StopResponse
from retry.api.operations.control_schemas import ControlRequest, ResumeRequest
from retry.api.operations.schemas import (
    BulkPreviewResponse,
    BulkProgressResponse,
    BulkRetryRequest,
    BulkRetryResponse,
    ItemPageResponse,
    ItemQuery,
    OneOrManyRequest,
    OperationPage,
    OperationQuery,
    OperationSummary,
    ResyncRequest,
    SelectionRequest,
)
from retry.errors import OperationNotFound, SourceNotFound
from retry.models import Action, Operation
from retry.operations import control
from retry.operations.items import items
from retry.operations.progress import progress
from retry.operations.selection import Preview, preview
from retry.outcomes import Actor

_KEY = re.compile(r"[\x21-\x7e]{1,100}")

#: Does it to one entry and answers.
One = Callable[[Any, Actor], HttpResponse]


def _start(
    action: Action, shape: type[SelectionRequest], *, one: One | None = None
) -> Callable[[HttpRequest, Actor], HttpResponse]:
    """``one``: for shapes that may also name a single entry, which needs no operation."""

    def view(request: HttpRequest, actor: Actor) -> HttpResponse:
        parse_query(request, NoQuery)
        key = _idempotency_key(request)
        asked = parse_body(request, shape)
        if one is not None and isinstance(asked, OneOrManyRequest) and asked.entry_id is not None:
            return one(asked, actor)
        actor.require(OPERATE[action])
        if isinstance(asked, ResyncRequest):
            _require_source(asked.source)
        selection = asked.selection()
        # Counted before anything moves; the operation's own numbers count from then on.
        found = preview(selection, action=action, actor=actor)
        if asked.dry_run:
            return answer(BulkPreviewResponse.of(found))
        operation = control.start(
            selection,
            action=action,
            actor=actor,
            reason=asked.reason,
            pace=asked.pace(),
            only_if_changed=getattr(asked, "only_if_changed", False),
            idempotency_key=key,
        )
        return _accepted(operation, found)

    return view


def _require_source(slug: str | None) -> None:
    """A misspelt source is an error, not an operation over nothing."""
    if slug is not None and not Source.objects.filter(slug=slug).exists():
        raise SourceNotFound(slug, known=known_sources())


def _resync_one(asked: ResyncRequest, actor: Actor) -> HttpResponse:
    item, dispatched = service.resync_entry(
        cast("int", asked.entry_id),
        actor=actor,
        reason=asked.reason,
        only_if_changed=asked.only_if_changed,
    )
    return answer(RetryResponse.of(item, dispatched=dispatched), status=202)


def _retry_one_now(asked: OneOrManyRequest, actor: Actor) -> HttpResponse:
    entry_id = cast("int", asked.entry_id)
    item, dispatched = service.retry_entry_now(entry_id, actor=actor, reason=asked.reason)
    return answer(RetryResponse.of(item, dispatched=dispatched), status=202)


def _stop_one(asked: OneOrManyRequest, actor: Actor) -> HttpResponse:
    entry_id = cast("int", asked.entry_id)
    item = service.stop_retrying_entry(entry_id, actor=actor, reason=asked.reason)
    return answer(StopResponse.of(item))


def _accepted(operation: Operation, found: Preview) -> HttpResponse:
    counted = BulkPreviewResponse.of(found).model_dump() | {"total": operation.total}
    return answer(
        BulkRetryResponse.model_validate(
            counted
            | {
                "operation_id": operation.pk,
                "state": operation.state,
                "progress_url": reverse("api:operation", args=[operation.pk]),
            }
        ),
        status=202,
    )


def _idempotency_key(request: HttpRequest) -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise problems.invalid(
            [{"field": "Idempotency-Key", "message": "must be 1 to 100 printable characters"}]
        )
    return key


def _list(request: HttpRequest, actor: Actor) -> HttpResponse:
    actor.require(VIEW_OPERATION)
    query = parse_query(request, OperationQuery)
    found = Operation.objects.order_by("-created_at", "-pk")
    if query.state is not None:
        found = found.filter(state=query.state)
    if query.cursor is not None:
        last = Operation.objects.filter(pk=query.cursor).first()
        if last is None:
            raise OperationNotFound(query.cursor)
        older = Q(created_at__lt=last.created_at)
        found = found.filter(older | Q(created_at=last.created_at, pk__lt=last.pk))
    rows = list(found[: query.limit + 1])
    page = rows[: query.limit]
    return answer(
        OperationPage(
            results=[OperationSummary.of(operation) for operation in page],
            next_cursor=str(page[-1].pk) if len(rows) > query.limit else None,
        )
    )


def _progress(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    actor.require(VIEW_OPERATION)
    parse_query(request, NoQuery)
    return answer(BulkProgressResponse.of(progress(operation_id)))


def _items(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    actor.require(VIEW_OPERATION)
    query = parse_query(request, ItemQuery)
    operation = Operation.objects.filter(pk=operation_id).first()
    if operation is None:
        raise OperationNotFound(operation_id)
    page = items(
        operation, actor=actor, outcome=query.outcome, cursor=query.cursor, limit=query.limit
    )
    return answer(ItemPageResponse.of(page))


def _control(
    verb: Callable[..., Operation],
) -> Callable[[HttpRequest, Actor, UUID], HttpResponse]:
    def view(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
        parse_query(request, NoQuery)
        asked = parse_body(request, ControlRequest)
        verb(operation_id, actor=actor, reason=asked.reason)
        return answer(BulkProgressResponse.of(progress(operation_id)))

    return view


def _resume(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    parse_query(request, NoQuery)
    asked = parse_body(request, ResumeRequest)
    control.resume(
        operation_id, actor=actor, reason=asked.reason, overrule_canary=asked.overrule_canary
    )
    return answer(BulkProgressResponse.of(progress(operation_id)))


def _retry_failed(request: HttpRequest, actor: Actor, operation_id: UUID) -> HttpResponse:
    parse_query(request, NoQuery)
    key = _idempotency_key(request)
    asked = parse_body(request, ControlRequest)
    operation = control.retry_failed(
        operation_id, actor=actor, reason=asked.reason, idempotency_key=key
    )
    return answer(BulkProgressResponse.of(progress(operation.pk)), status=202)


retry_bulk = api_view(post=_start(Action.RETRY, BulkRetryRequest))
resync = api_view(post=_start(Action.RESYNC, ResyncRequest, one=_resync_one))
retry_now = api_view(post=_start(Action.RETRY_NOW, OneOrManyRequest, one=_retry_one_now))
stop = api_view(post=_start(Action.STOP, OneOrManyRequest, one=_stop_one))
discard = api_view(post=_start(Action.DISCARD, SelectionRequest))
restore = api_view(post=_start(Action.RESTORE, SelectionRequest))
operations = api_view(get=_list)
operation = api_view(get=_progress)
operation_items = api_view(get=_items)
pause = api_view(post=_control(control.pause))
resume = api_view(post=_resume)
cancel = api_view(post=_control(control.cancel))
retry_failed = api_view(post=_retry_failed)
