"""Syncs over JSON: parse, call, answer."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from entries.filters import EntryFilter
from retry.access.permissions import VIEW_SYNC
from retry.access.visibility import sees_source
from retry.api.http.resource import answer, api_view, parse_body, parse_query
from retry.api.http.schemas import MAX_ID, NoQuery
from retry.api.syncs.schemas import (
    SyncDetail,
    SyncPage,
    SyncQuery,
    SyncRequest,
    SyncResponse,
    SyncSummary,
)
from retry.errors import SyncNotFound
from retry.models import Sync
from retry.operations.selection import check_names
from retry.outcomes import Actor
from retry.syncs import control


def _request(request: HttpRequest, actor: Actor, slug: str) -> HttpResponse:
    parse_query(request, NoQuery)
    asked = parse_body(request, SyncRequest)
    sync = control.request_sync(slug, actor=actor, reason=asked.reason, dry_run=asked.dry_run)
    return answer(
        SyncResponse(
            sync_id=sync.pk,
            state=sync.state,
            dry_run=sync.dry_run,
            dispatched=sync.dispatched,
            progress_url=reverse("api:sync", args=[sync.pk]),
        ),
        status=202,
    )


def _list(request: HttpRequest, actor: Actor) -> HttpResponse:
    actor.require(VIEW_SYNC)
    query = parse_query(request, SyncQuery)
    found = Sync.objects.select_related("source").defer("notes", "sample").order_by("-pk")
    if query.source is not None:
        check_names(EntryFilter(source=query.source))
        found = found.filter(source__slug=query.source)
    if query.state is not None:
        found = found.filter(state=query.state)
    if query.cursor is not None:
        found = found.filter(pk__lt=query.cursor)
    rows = list(found[: query.limit + 1])
    page = rows[: query.limit]
    return answer(
        SyncPage(
            results=[SyncSummary.of(sync) for sync in page],
            next_cursor=str(page[-1].pk) if len(rows) > query.limit else None,
        )
    )


def _detail(request: HttpRequest, actor: Actor, sync_id: int) -> HttpResponse:
    actor.require(VIEW_SYNC)
    parse_query(request, NoQuery)
    # A path may hold a number that no column can.
    known = Sync.objects.select_related("source").filter(pk=min(sync_id, MAX_ID)).first()
    if known is None:
        raise SyncNotFound(sync_id)
    everything = sees_source(known.source_id, actor=actor)
    return answer(SyncDetail.told(known, everything=everything))


request_sync = api_view(post=_request)
syncs = api_view(get=_list)
sync = api_view(get=_detail)
