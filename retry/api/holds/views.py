"""Holds: list, place, lift."""

from django.http import HttpRequest, HttpResponse

from retry import service
from retry.access.permissions import VIEW_HOLD
from retry.access.records import visible_holds
from retry.api.holds.schemas import HoldPage, HoldQuery, HoldRequest, HoldResponse
from retry.api.http.links import answer_location
from retry.api.http.resource import answer, parse_body, parse_query, refuse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import MAX_ID, ReasonRequest
from retry.holds.errors import HoldNotFound
from retry.holds.overview import shield
from retry.outcomes import Actor

routes = Routes()


@routes.get("holds", needs=VIEW_HOLD, query=HoldQuery, answers=HoldPage)
def list_holds(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, HoldQuery)
    found = visible_holds(actor).select_related("source")
    if query.standing is not None:
        found = found.filter(lifted_at__isnull=query.standing == "true")
    page = query.read(found)
    results = [HoldResponse.from_hold(hold) for hold in shield(page.items, actor=actor)]
    return answer(HoldPage(results=results, next_cursor=query.sign(page.next_cursor)))


@routes.post("holds", body=HoldRequest, answers=HoldResponse, status=201)
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
    return answer_location(HoldResponse.from_hold(hold), f"holds/{hold.pk}", status=201)


@routes.get("holds/<int:hold_id>", name="hold", needs=VIEW_HOLD, answers=HoldResponse)
def show_hold(request: HttpRequest, actor: Actor, hold_id: int) -> HttpResponse:
    refuse_query(request)
    # A path may hold a number that no column can.
    found = visible_holds(actor).filter(pk=min(hold_id, MAX_ID)).select_related("source").first()
    if found is None:
        raise HoldNotFound(hold_id)
    return answer(HoldResponse.from_hold(shield([found], actor=actor)[0]))


@routes.post("holds/<int:hold_id>/lift", name="lift", body=ReasonRequest, answers=HoldResponse)
def lift_hold(request: HttpRequest, actor: Actor, hold_id: int) -> HttpResponse:
    body = parse_body(request, ReasonRequest)
    if hold_id > MAX_ID:
        raise HoldNotFound(hold_id)
    hold = service.lift_hold(hold_id, actor=actor, reason=body.reason)
    return answer(HoldResponse.from_hold(hold))
