"""Entries: list, look at one, retry one, submit."""

from typing import cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from entries import lists
from retry import service
from retry.access.permissions import SUBMIT_ENTRY, VIEW_ENTRY, VIEW_PAYLOAD
from retry.access.visibility import visible_entries
from retry.api.entries.answers import answer_item, answer_submission
from retry.api.entries.schemas import (
    EntryDetail,
    EntryPage,
    EntrySummary,
    RetryRequest,
    RetryResponse,
    SubmitRequest,
    SubmitResponse,
)
from retry.api.http.filters import FilterQuery
from retry.api.http.resource import answer, parse_body, parse_query, refuse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import MAX_ID
from retry.errors import EntryNotFound
from retry.operations.selection import check_filter
from retry.outcomes import Actor
from retry.pages import Cursor
from retry.runs.request_ids import with_request_ids

routes = Routes()

_ATTEMPTS = 100


@routes.post("retry", body=RetryRequest, answers=RetryResponse, status=202)
def retry(request: HttpRequest, actor: Actor) -> HttpResponse:
    body = parse_body(request, RetryRequest)
    item, dispatched = service.retry_entry(body.entry_id, actor=actor, reason=body.reason)
    return answer_item(item, dispatched=dispatched)


@routes.get("entries", needs=VIEW_ENTRY, query=FilterQuery, answers=EntryPage)
def list_entries(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, FilterQuery)
    chosen = query.as_filter()
    check_filter(chosen, actor=actor)
    cursor = query.place()
    behind = cursor.place[0] if cursor else None
    visible = visible_entries(actor)
    ids, last = lists.find_behind(
        lists.narrow(visible, chosen),
        visible=visible,
        text=chosen.q or "",
        behind=cast("int | None", behind),
        limit=query.limit,
        indexed=lists.find_alone(chosen, visible=visible),
    )
    results = [EntrySummary.from_entry(entry) for entry in lists.read_rows(ids)]
    after = None if last is None else Cursor((last,))
    return answer(EntryPage(results=results, next_cursor=query.sign(after)))


# Checked first, before ten megabytes are read in vain.
@routes.post("entries", needs=SUBMIT_ENTRY, body=SubmitRequest, answers=SubmitResponse, status=202)
def submit(request: HttpRequest, actor: Actor) -> HttpResponse:
    body = parse_body(request, SubmitRequest, limit=settings.REDRIVE_SUBMIT_MAX_BYTES)
    outcome = service.submit(
        [entry.item() for entry in body.entries],
        kind=body.kind,
        source=body.source,
        actor=actor,
        reason=body.reason,
    )
    return answer_submission(outcome)


@routes.get("entries/<int:entry_id>", name="entry", needs=VIEW_ENTRY, answers=EntryDetail)
def show_entry(request: HttpRequest, actor: Actor, entry_id: int) -> HttpResponse:
    refuse_query(request)
    # A path may hold a number that no column can.
    wanted = visible_entries(actor).filter(pk=min(entry_id, MAX_ID))
    entry = wanted.select_related("source").first()
    if entry is None:
        raise EntryNotFound(entry_id)
    attempts = list(with_request_ids(entry.attempts.order_by("-number"))[:_ATTEMPTS])
    detail = EntryDetail.from_entry_and_attempts(entry, attempts)
    return answer(detail if actor.may(VIEW_PAYLOAD) else detail.without_payloads())
