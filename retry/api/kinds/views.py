"""Kinds: list."""

from django.http import HttpRequest, HttpResponse

from entries.kinds import registry
from retry.access.permissions import SUBMIT_ENTRY, VIEW_ENTRY
from retry.api.http.resource import answer, refuse_query
from retry.api.http.routes import Routes
from retry.api.kinds.schemas import KindList, KindSummary
from retry.outcomes import Actor

routes = Routes()


@routes.get("kinds", answers=KindList)
def list_kinds(request: HttpRequest, actor: Actor) -> HttpResponse:
    if not actor.may(SUBMIT_ENTRY):  # who pushes needs the schemas
        actor.require(VIEW_ENTRY)
    refuse_query(request)
    kinds = sorted(registry.all_kinds().items())
    return answer(KindList(results=[KindSummary.from_kind(kind) for _, kind in kinds]))
