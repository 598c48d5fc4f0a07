"""Syncs: request one, list, look at one."""

from django.http import HttpRequest, HttpResponse

from entries.filters import EntryFilter
from retry import service
from retry.access.payloads import hide_changes
from retry.access.permissions import VIEW_SYNC
from retry.access.records import visible_syncs
from retry.access.visibility import sees_source
from retry.api.http.links import answer_location, build_sync_address
from retry.api.http.progress import Reading, WaitQuery, answer_progress
from retry.api.http.resource import answer, parse_body, parse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import MAX_ID
from retry.api.http.watch import Subject
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


@routes.post(
    "sources/<slug:slug>/sync",
    name="source-sync",
    body=SyncRequest,
    answers=SyncResponse,
    status=202,
)
def request_sync(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    body = parse_body(request, SyncRequest)
    sync = service.request_sync(slug, actor=actor, reason=body.reason, dry_run=body.dry_run)
    return answer_location(SyncResponse.from_sync(sync), build_sync_address(sync.pk))


@routes.get("syncs", needs=VIEW_SYNC, query=SyncQuery, answers=SyncPage)
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
    return answer(SyncPage(results=results, next_cursor=query.sign(page.next_cursor)))


@routes.get(
    "syncs/<int:sync_id>", name="sync", needs=VIEW_SYNC, query=WaitQuery, answers=SyncDetail
)
def show_sync(request: HttpRequest, actor: Actor, sync_id: int) -> HttpResponse:
    return answer_progress(request, Subject.SYNC, sync_id, lambda: _read(sync_id, actor=actor))


def _read(sync_id: int, *, actor: Actor) -> Reading:
    # A path may hold a number that no column can.
    sync = visible_syncs(actor).select_related("source").filter(pk=min(sync_id, MAX_ID)).first()
    if sync is None:
        raise SyncNotFound(sync_id)
    everything = sees_source(sync.source_id, actor=actor)
    sync.sample = hide_changes(sync.sample, actor=actor)
    model = SyncDetail.from_sync_and_view(sync, everything=everything)
    return Reading(model, settled=sync.finished)
