"""Error groups: list, look at one, and what people decide about it."""

from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from entries.filters import EntryFilter
from retry import service
from retry.access.permissions import MANAGE_ERROR_GROUP, VIEW_ERROR_GROUP
from retry.access.visibility import (
    sees_everything,
    visible_entries,
    visible_groups,
)
from retry.api.errors.schemas import (
    AcknowledgeRequest,
    ErrorDetail,
    ErrorPage,
    ErrorQuery,
    ErrorSummary,
    MuteRequest,
    NoteRequest,
    ProveRequest,
)
from retry.api.http.links import answer_location, build_operation_address
from retry.api.http.problems import invalid_request
from retry.api.http.resource import answer, parse_body, parse_query, refuse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import MAX_ID, ReasonRequest
from retry.api.operations.answers import read_operation
from retry.api.operations.responses import BulkProgressResponse
from retry.api.operations.starts import parse_idempotency_key
from retry.error_groups.errors import ErrorGroupNotFound
from retry.error_groups.lock import find_group
from retry.error_groups.overview import filter_by_state, read_facts, shield
from retry.error_groups.samples import find_sample
from retry.models import Action, ErrorGroup
from retry.operations.selection import check_filter
from retry.outcomes import Actor

if TYPE_CHECKING:
    from django.contrib.auth.models import User

routes = Routes()


@routes.get("errors", needs=VIEW_ERROR_GROUP, query=ErrorQuery, answers=ErrorPage)
def list_errors(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, ErrorQuery)
    check_filter(EntryFilter(kind=query.kind), actor=actor)
    found = _narrow(visible_groups(actor), query, actor=actor).select_related("owner")
    page = query.read(found)
    facts = read_facts(page.items, actor=actor)
    results = [
        ErrorSummary.from_group(group, facts[group.pk]) for group in shield(page.items, actor=actor)
    ]
    return answer(ErrorPage(results=results, next_cursor=query.sign(page.next_cursor)))


@routes.get("errors/<int:group_id>", name="error", needs=VIEW_ERROR_GROUP, answers=ErrorDetail)
def show_error(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    refuse_query(request)
    return _answer(group_id, actor=actor)


@routes.post(
    "errors/<int:group_id>/acknowledge",
    name="acknowledge",
    body=AcknowledgeRequest,
    answers=ErrorDetail,
)
def acknowledge(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    body = parse_body(request, AcknowledgeRequest)
    actor.require(MANAGE_ERROR_GROUP)  # before it says who is a member of staff
    owner = _find_owner(body.owner) if body.owner is not None else None
    service.acknowledge_group(_check(group_id), owner=owner, actor=actor, reason=body.reason)
    return _answer(group_id, actor=actor)


@routes.post("errors/<int:group_id>/note", name="note", body=NoteRequest, answers=ErrorDetail)
def note(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    body = parse_body(request, NoteRequest)
    service.note_group(_check(group_id), text=body.text, actor=actor)
    return _answer(group_id, actor=actor)


@routes.post("errors/<int:group_id>/mute", name="mute", body=MuteRequest, answers=ErrorDetail)
def mute(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    body = parse_body(request, MuteRequest)
    service.mute_group(
        _check(group_id), until=body.until, above=body.above, actor=actor, reason=body.reason
    )
    return _answer(group_id, actor=actor)


@routes.post("errors/<int:group_id>/unmute", name="unmute", body=ReasonRequest, answers=ErrorDetail)
def unmute(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.unmute_group(_check(group_id), actor=actor, reason=body.reason)
    return _answer(group_id, actor=actor)


@routes.post(
    "errors/<int:group_id>/resolve", name="resolve", body=ReasonRequest, answers=ErrorDetail
)
def resolve(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.resolve_group(_check(group_id), actor=actor, reason=body.reason)
    return _answer(group_id, actor=actor)


@routes.post("errors/<int:group_id>/reopen", name="reopen", body=ReasonRequest, answers=ErrorDetail)
def reopen(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    service.reopen_group(_check(group_id), actor=actor, reason=body.reason)
    return _answer(group_id, actor=actor)


@routes.post(
    "errors/<int:group_id>/prove",
    name="prove",
    body=ProveRequest,
    answers=BulkProgressResponse,
    status=202,
)
def prove(request: HttpRequest, actor: Actor, group_id: int) -> HttpResponse:
    key = parse_idempotency_key(request)
    body = parse_body(request, ProveRequest)
    operation = service.prove_group(
        _check(group_id),
        action=Action(body.action),
        canary_size=body.canary_size,
        rate_per_second=body.rate_per_second,
        actor=actor,
        reason=body.reason,
        idempotency_key=key,
    )
    model = read_operation(operation.pk, actor=actor).model
    return answer_location(model, build_operation_address(operation.pk))


def _check(group_id: int) -> int:
    """Raises ``ErrorGroupNotFound`` for a number that no column holds."""
    if group_id > MAX_ID:
        raise ErrorGroupNotFound(group_id)
    return group_id


def _find_owner(name: str) -> "User":
    found: User | None = (
        get_user_model().objects.filter(is_active=True, is_staff=True, username=name).first()
    )
    if found is None:
        raise invalid_request([{"field": "owner", "message": "is no active member of staff"}])
    return found


def _narrow(
    found: QuerySet[ErrorGroup], query: ErrorQuery, *, actor: Actor
) -> QuerySet[ErrorGroup]:
    """The names are those of entries that the actor may see."""
    if query.state is not None:
        found = filter_by_state(found, query.state, actor=actor)
    if query.fingerprint is not None:
        found = found.filter(fingerprint=query.fingerprint)
    for name, value in (("kind", query.kind), ("upstream", query.upstream)):
        if value is None:
            continue
        found = found.filter(**{f"{name}s__contains": [value]})
        if not sees_everything(actor):
            visible = visible_entries(actor).failed().filter(**{name: value})
            found = found.filter(fingerprint__in=visible.values("fingerprint"))
    if query.seen_after is None:
        return found
    if sees_everything(actor):
        return found.filter(last_seen__gte=query.seen_after)
    visible = visible_entries(actor).failed().filter(failed_at__gte=query.seen_after)
    return found.filter(fingerprint__in=visible.values("fingerprint"))


def _answer(group_id: int, *, actor: Actor) -> HttpResponse:
    group = find_group(_check(group_id), actor=actor)
    shield([group], actor=actor)
    facts = read_facts([group], actor=actor)[group.pk]
    return answer(ErrorDetail.from_sample(group, facts, find_sample(group, actor=actor)))
