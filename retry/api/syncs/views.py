"""Syncs: request one, list, look at one."""

from django.http import HttpRequest, HttpResponse

from entries.filters import EntryFilter
from retry import service
from retry.access.payloads import hide_changes
from retry.access.permissions import VIEW_SYNC
from retry.access.records import visible_syncs
from retry.access.visibility import sees_source
from retry.api.http.resource import answer, parse_body, parse_query, refuse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import MAX_ID
from retry.api.syncs.schemas import (
    SyncDetail,
    SyncPage,
    SyncQuery,
    SyncRequest,
    SyncResponse,
    SyncSummary,
)
from retry.errors import SyncNotFound
from retry.operations.selection import check_filter
from retry.outcomes import Actor

routes = Routes()


@routes.post("sources/<slug:slug>/sync", name="source-sync")
def request_sync(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    body = parse_body(request, SyncRequest)
    sync = service.request_sync(slug, actor=actor, reason=body.reason, dry_run=body.dry_run)
    return answer(SyncResponse.from_sync(sync), status=202)


@routes.get("syncs", needs=VIEW_SYNC)
def list_syncs(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, SyncQuery)
    found = visible_syncs(actor).select_related("source").defer("notes", "sample")
    if query.source is not None:
        check_filter(EntryFilter(source=query.source), actor=actor)
        found = found.filter(source__slug=query.source)
    if query.state is not None:
        found = found.filter(state=query.state)
    page = query.read(found)
    results = [SyncSummary.from_sync(sync) for sync in page.items]
    return answer(SyncPage(results=results, next_cursor=page.next_text))


@routes.get("syncs/<int:sync_id>", name="sync", needs=VIEW_SYNC)
def show_sync(request: HttpRequest, actor: Actor, sync_id: int) -> HttpResponse:
    refuse_query(request)
    # A path may hold a number that no column can.
    sync = visible_syncs(actor).select_related("source").filter(pk=min(sync_id, MAX_ID)).first()
    if sync is None:
        raise SyncNotFound(sync_id)
    everything = sees_source(sync.source_id, actor=actor)
    sync.sample = hide_changes(sync.sample, actor=actor)
    return answer(SyncDetail.from_sync_and_view(sync, everything=everything))
