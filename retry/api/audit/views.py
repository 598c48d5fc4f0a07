"""The audit: list."""

from django.http import HttpRequest, HttpResponse

from retry.access.events import shield
from retry.access.permissions import VIEW_AUDIT
from retry.access.records import visible_events
from retry.api.audit.schemas import AuditPage, AuditQuery, AuditResponse
from retry.api.http.resource import answer, parse_query
from retry.api.http.routes import Routes
from retry.outcomes import Actor
from retry.pages import read_within_budget

routes = Routes()


@routes.get("audit", needs=VIEW_AUDIT, query=AuditQuery, answers=AuditPage)
def list_events(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, AuditQuery)
    chosen = query.model_dump(exclude={"cursor", "limit"}, exclude_none=True)
    visible = visible_events(actor)
    page = read_within_budget(
        visible.filter(**chosen), among=visible, cursor=query.place(), limit=query.limit
    )
    results = [AuditResponse.from_event(event) for event in shield(page.items, actor=actor)]
    return answer(AuditPage(results=results, next_cursor=query.sign(page.next_cursor)))
