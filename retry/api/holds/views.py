"""Holds over JSON: parse, call, answer."""

from django.http import HttpRequest, HttpResponse

from retry.access.permissions import VIEW_HOLD
from retry.api.holds.schemas import HoldPage, HoldQuery, HoldRequest, HoldResponse, LiftRequest
from retry.api.http.resource import answer, api_view, parse_body, parse_query
from retry.api.http.schemas import MAX_ID, NoQuery
from retry.errors import HoldNotFound
from retry.holds import control
from retry.models import Hold
from retry.outcomes import Actor


def _list(request: HttpRequest, actor: Actor) -> HttpResponse:
    actor.require(VIEW_HOLD)
    query = parse_query(request, HoldQuery)
    found = Hold.objects.select_related("source").order_by("-id")
    if query.standing is not None:
        found = found.filter(lifted_at__isnull=query.standing == "true")
    if query.cursor is not None:
        found = found.filter(pk__lt=query.cursor)
    rows = list(found[: query.limit + 1])
    page = rows[: query.limit]
    return answer(
        HoldPage(
            results=[HoldResponse.of(hold) for hold in page],
            next_cursor=str(page[-1].pk) if len(rows) > query.limit else None,
        )
    )


def _put(request: HttpRequest, actor: Actor) -> HttpResponse:
    parse_query(request, NoQuery)
    asked = parse_body(request, HoldRequest)
    if asked.kind is not None:
        hold = control.hold_kind(asked.kind, asked.upstream or "", actor=actor, reason=asked.reason)
    else:
        hold = control.hold_source(asked.source or "", actor=actor, reason=asked.reason)
    return answer(HoldResponse.of(hold), status=201)


def _lift(request: HttpRequest, actor: Actor, hold_id: int) -> HttpResponse:
    parse_query(request, NoQuery)
    asked = parse_body(request, LiftRequest)
    if hold_id > MAX_ID:
        raise HoldNotFound(hold_id)
    return answer(HoldResponse.of(control.lift(hold_id, actor=actor, reason=asked.reason)))


holds = api_view(get=_list, post=_put)
lift = api_view(post=_lift)
