"""Verbs that start an operation, or act on one entry at once where a single one is named."""

import re
from collections.abc import Callable
from typing import Any, TypeAlias, cast

from django.http import HttpRequest, HttpResponse

from entries.names import is_source, list_sources
from retry import service
from retry.access.permissions import OPERATE
from retry.access.visibility import find_sources
from retry.api.entries.answers import answer_item
from retry.api.entries.schemas import RetryResponse, StopResponse
from retry.api.http.links import answer_location, build_operation_address
from retry.api.http.problems import invalid_request
from retry.api.http.resource import answer, parse_body
from retry.api.http.routes import Routes
from retry.api.operations.requests import (
    BulkRetryRequest,
    OneOrManyRequest,
    ResyncRequest,
    SelectionRequest,
)
from retry.api.operations.responses import BulkPreviewResponse, BulkRetryResponse
from retry.errors import SourceNotFound
from retry.models import Action, Operation
from retry.operations.selection import Preview, preview
from retry.operations.sight import shield
from retry.outcomes import Actor

routes = Routes()

_KEY = re.compile(r"[\x21-\x7e]{1,100}")
#: Acts on one entry and answers.
One: TypeAlias = Callable[[Any, Actor], HttpResponse]


@routes.post(
    "retry/bulk",
    name="retry-bulk",
    body=BulkRetryRequest,
    answers=BulkRetryResponse,
    status=202,
    also={200: BulkPreviewResponse},
)
def retry_bulk(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _start(request, actor, Action.RETRY, BulkRetryRequest)


@routes.post(
    "retry/now",
    name="retry-now",
    body=OneOrManyRequest,
    answers=BulkRetryResponse,
    status=202,
    also={200: BulkPreviewResponse, 202: RetryResponse},
)
def retry_now(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _start(request, actor, Action.RETRY_NOW, OneOrManyRequest, one=_retry_one_now)


@routes.post(
    "retry/stop",
    name="retry-stop",
    body=OneOrManyRequest,
    answers=BulkRetryResponse,
    status=202,
    also={200: (BulkPreviewResponse, StopResponse)},
)
def stop(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _start(request, actor, Action.STOP, OneOrManyRequest, one=_stop_one)


@routes.post(
    "resync",
    body=ResyncRequest,
    answers=BulkRetryResponse,
    status=202,
    also={200: BulkPreviewResponse, 202: RetryResponse},
)
def resync(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _start(request, actor, Action.RESYNC, ResyncRequest, one=_resync_one)


@routes.post(
    "discard",
    body=SelectionRequest,
    answers=BulkRetryResponse,
    status=202,
    also={200: BulkPreviewResponse},
)
def discard(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _start(request, actor, Action.DISCARD, SelectionRequest)


@routes.post(
    "restore",
    body=SelectionRequest,
    answers=BulkRetryResponse,
    status=202,
    also={200: BulkPreviewResponse},
)
def restore(request: HttpRequest, actor: Actor) -> HttpResponse:
    return _start(request, actor, Action.RESTORE, SelectionRequest)


def parse_idempotency_key(request: HttpRequest) -> str | None:
    """Raises ``Problem`` 422."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        raise invalid_request(
            [{"field": "Idempotency-Key", "message": "must be 1 to 100 printable characters"}]
        )
    return key


def _start(
    request: HttpRequest,
    actor: Actor,
    action: Action,
    shape: type[SelectionRequest],
    *,
    one: One | None = None,
) -> HttpResponse:
    """``one``: for shapes that may also name a single entry, which needs no operation."""
    key = parse_idempotency_key(request)
    body = parse_body(request, shape)
    if one is not None and isinstance(body, OneOrManyRequest) and body.entry_id is not None:
        return one(body, actor)
    actor.require(OPERATE[action])
    if isinstance(body, ResyncRequest):
        _require_source(body.source, actor=actor)
    selection = body.selection()
    # Counted before anything moves; the operation's own numbers count from then on.
    counts = preview(selection, action=action, actor=actor)
    if body.dry_run:
        return answer(BulkPreviewResponse.from_preview(counts))
    operation = service.start_operation(
        selection,
        action=action,
        actor=actor,
        reason=body.reason,
        pace=body.pace(),
        only_if_changed=getattr(body, "only_if_changed", False),
        idempotency_key=key,
    )
    return answer_start(operation, counts, actor=actor)


def _require_source(slug: str | None, *, actor: Actor) -> None:
    """A misspelt source is an error, not an operation on nothing."""
    scope = find_sources(actor)
    if slug is not None and not is_source(slug, scope):
        raise SourceNotFound(slug, known=list_sources(scope))


def answer_start(operation: Operation, preview: Preview, *, actor: Actor) -> HttpResponse:
    """Answer with an operation that was started, and what was counted before.

    One of a repeated request may have entries that the actor no longer sees.
    """
    total = shield([operation], actor=actor)[0].total
    counts = BulkPreviewResponse.from_preview(preview).model_dump() | {"total": total}
    address = build_operation_address(operation.pk)
    values = {"operation_id": operation.pk, "state": operation.state, "progress_url": address}
    return answer_location(BulkRetryResponse.model_validate(counts | values), address)


def _resync_one(body: ResyncRequest, actor: Actor) -> HttpResponse:
    item, dispatched = service.resync_entry(
        cast("int", body.entry_id),
        actor=actor,
        reason=body.reason,
        only_if_changed=body.only_if_changed,
    )
    return answer_item(item, dispatched=dispatched)


def _retry_one_now(body: OneOrManyRequest, actor: Actor) -> HttpResponse:
    entry_id = cast("int", body.entry_id)
    item, dispatched = service.retry_entry_now(entry_id, actor=actor, reason=body.reason)
    return answer_item(item, dispatched=dispatched)


def _stop_one(body: OneOrManyRequest, actor: Actor) -> HttpResponse:
    entry_id = cast("int", body.entry_id)
    item = service.stop_retrying_entry(entry_id, actor=actor, reason=body.reason)
    return answer(StopResponse.from_item(item))
