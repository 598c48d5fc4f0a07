"""Saved views: list, keep, rename, delete."""

from django.http import HttpRequest, HttpResponse

from retry import service
from retry.access.permissions import VIEW_ENTRY
from retry.access.views import visible_views
from retry.api.http.links import answer_location
from retry.api.http.resource import answer, parse_body, parse_query, refuse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import MAX_ID, Request
from retry.api.saved_views.schemas import (
    DeletedResponse,
    RenameRequest,
    ViewPage,
    ViewQuery,
    ViewRequest,
    ViewResponse,
)
from retry.errors import ViewNotFound
from retry.outcomes import Actor

routes = Routes()


@routes.get("views", needs=VIEW_ENTRY, query=ViewQuery, answers=ViewPage)
def list_views(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, ViewQuery)
    page = query.read(visible_views(actor))
    results = [ViewResponse.from_view(view, user_id=actor.user_id) for view in page.items]
    return answer(ViewPage(results=results, next_cursor=query.sign(page.next_cursor)))


@routes.post("views", body=ViewRequest, answers=ViewResponse, status=201)
def save_view(request: HttpRequest, actor: Actor) -> HttpResponse:
    body = parse_body(request, ViewRequest)
    view = service.save_view(
        body.name,
        body.filter.as_filter(),
        shared=body.shared,
        oldest_first=body.oldest_first,
        actor=actor,
    )
    model = ViewResponse.from_view(view, user_id=actor.user_id)
    return answer_location(model, f"views/{view.pk}", status=201)


@routes.get("views/<int:view_id>", name="view", needs=VIEW_ENTRY, answers=ViewResponse)
def show_view(request: HttpRequest, actor: Actor, view_id: int) -> HttpResponse:
    refuse_query(request)
    view = visible_views(actor).filter(pk=min(view_id, MAX_ID)).first()
    if view is None:
        raise ViewNotFound(view_id)
    return answer(ViewResponse.from_view(view, user_id=actor.user_id))


@routes.post(
    "views/<int:view_id>/rename", name="view-rename", body=RenameRequest, answers=ViewResponse
)
def rename_view(request: HttpRequest, actor: Actor, view_id: int) -> HttpResponse:
    body = parse_body(request, RenameRequest)
    view = service.rename_view(_check(view_id), body.name, actor=actor)
    return answer(ViewResponse.from_view(view, user_id=actor.user_id))


@routes.post(
    "views/<int:view_id>/delete", name="view-delete", body=Request, answers=DeletedResponse
)
def delete_view(request: HttpRequest, actor: Actor, view_id: int) -> HttpResponse:
    parse_body(request, Request)
    service.delete_view(_check(view_id), actor=actor)
    return answer(DeletedResponse(id=view_id))


def _check(view_id: int) -> int:
    """Raises ``ViewNotFound`` for a number that no column holds."""
    if view_id > MAX_ID:
        raise ViewNotFound(view_id)
    return view_id
