"""The audit: list."""

from django.http import HttpRequest, HttpResponse

from retry.access.permissions import VIEW_AUDIT
from retry.access.visibility import visible_ids
from retry.api.audit.schemas import AuditPage, AuditQuery, AuditResponse
from retry.api.http.resource import answer, parse_query
from retry.api.http.routes import Routes
from retry.models import AuditEvent
from retry.outcomes import Actor

routes = Routes()


@routes.get("audit", needs=VIEW_AUDIT, query=AuditQuery, answers=AuditPage)
def list_events(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, AuditQuery)
    chosen = query.model_dump(exclude={"cursor", "limit"}, exclude_none=True)
    page = query.read(AuditEvent.objects.filter(**chosen))
    ids = [event.entry_id for event in page.items if event.entry_id is not None]
    visible = set(visible_ids(ids, actor=actor))
    results = [AuditResponse.from_event(event, visible=visible) for event in page.items]
    return answer(AuditPage(results=results, next_cursor=query.sign(page.next_cursor)))
