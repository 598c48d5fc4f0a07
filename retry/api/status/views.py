"""The status of the desk: entries, queues, workers, dispatcher, holds."""

from django.http import HttpRequest, HttpResponse

from retry import status as desk
from retry.access.permissions import VIEW_HOLD, VIEW_STATUS
from retry.access.visibility import visible_counts
from retry.api.holds.schemas import StandingHold
from retry.api.http.resource import answer, refuse_query
from retry.api.http.routes import Routes
from retry.api.status.schemas import StatusResponse
from retry.outcomes import Actor
from retry.retention.overview import list_rules

routes = Routes()


@routes.get("status", needs=VIEW_STATUS, answers=StatusResponse)
def show_status(request: HttpRequest, actor: Actor) -> HttpResponse:
    refuse_query(request)
    found = desk.narrow(desk.read(), actor=actor)
    holds = [StandingHold.from_hold(hold) for hold in found.holds]
    if not actor.may(VIEW_HOLD):
        holds = [hold.model_copy(update={"reason": ""}) for hold in holds]
    return answer(
        StatusResponse.from_status(
            found,
            entries=visible_counts(actor),
            holds=holds,
            retention=list_rules(counting=False),
        )
    )
