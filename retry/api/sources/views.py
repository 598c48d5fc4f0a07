"""Sources: list, look at one."""

from django.http import HttpRequest, HttpResponse

from retry.access.permissions import VIEW_SOURCE
from retry.access.visibility import visible_sources
from retry.api.http.resource import answer, parse_query, refuse_query
from retry.api.http.routes import Routes
from retry.api.sources.schemas import SourcePage, SourceQuery, SourceSummary
from retry.errors import SourceNotFound
from retry.outcomes import Actor

routes = Routes()


@routes.get("sources", needs=VIEW_SOURCE, query=SourceQuery, answers=SourcePage)
def list_sources(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, SourceQuery)
    page = query.read(visible_sources(actor))
    results = [SourceSummary.from_source(source) for source in page.items]
    return answer(SourcePage(results=results, next_cursor=query.sign(page.next_cursor)))


@routes.get("sources/<slug:slug>", name="source", needs=VIEW_SOURCE, answers=SourceSummary)
def show_source(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    refuse_query(request)
    source = visible_sources(actor).filter(slug=slug).first()
    if source is None:
        raise SourceNotFound(slug)
    return answer(SourceSummary.from_source(source))
