"""Holds: list, place, lift."""

from django.http import HttpRequest, HttpResponse

from retry import service
from retry.access.permissions import VIEW_HOLD
from retry.access.records import visible_holds
from retry.api.holds.schemas import HoldPage, HoldQuery, HoldRequest, HoldResponse
from retry.api.http.resource import answer, parse_body, parse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import MAX_ID, ReasonRequest
from retry.holds.errors import HoldNotFound
from retry.holds.overview import shield
from retry.outcomes import Actor

routes = Routes()


@routes.get("holds", needs=VIEW_HOLD)
def list_holds(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, HoldQuery)
    found = visible_holds(actor).select_related("source")
    if query.standing is not None:
        found = found.filter(lifted_at__isnull=query.standing == "true")
    page = query.read(found)
    results = [HoldResponse.from_hold(hold) for hold in shield(page.items, actor=actor)]
    return answer(HoldPage(results=results, next_cursor=page.next_text))


@routes.post("holds")
def place_hold(request: HttpRequest, actor: Actor) -> HttpResponse:
    body = parse_body(request, HoldRequest)
    if body.kind is not None:
        hold = service.hold_kind(
            body.kind,
            body.upstream or "",
            actor=actor,
            reason=body.reason,
            ends_at=body.ends_at,
        )
    else:
        hold = service.hold_source(
            body.source or "", actor=actor, reason=body.reason, ends_at=body.ends_at
        )
    return answer(HoldResponse.from_hold(hold), status=201)


@routes.post("holds/<int:hold_id>/lift", name="lift")
def lift_hold(request: HttpRequest, actor: Actor, hold_id: int) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    if hold_id > MAX_ID:
        raise HoldNotFound(hold_id)
    hold = service.lift_hold(hold_id, actor=actor, reason=body.reason)
    return answer(HoldResponse.from_hold(hold))
