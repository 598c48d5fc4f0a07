"""The addresses of the JSON API: parse, call, answer."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from retry import service
from retry.access.permissions import SUBMIT_ENTRY, VIEW_ENTRY, VIEW_STATUS
from retry.api.entries import reading
from retry.api.entries.schemas import SubmitRequest, SubmitResponse
from retry.api.http.resource import answer, api_view, parse_body, parse_query
from retry.api.http.schemas import EntryQuery, NoQuery, RetryRequest, RetryResponse
from retry.outcomes import Actor


def _retry(request: HttpRequest, actor: Actor) -> HttpResponse:
    parse_query(request, NoQuery)
    asked = parse_body(request, RetryRequest)
    item, dispatched = service.retry_entry(asked.entry_id, actor=actor, reason=asked.reason)
    return answer(RetryResponse.of(item, dispatched=dispatched), status=202)


def _entries(request: HttpRequest, actor: Actor) -> HttpResponse:
    actor.require(VIEW_ENTRY)
    return answer(reading.entry_page(parse_query(request, EntryQuery), actor=actor))


def _submit(request: HttpRequest, actor: Actor) -> HttpResponse:
    actor.require(SUBMIT_ENTRY)  # before ten megabytes are read for nothing
    parse_query(request, NoQuery)
    asked = parse_body(request, SubmitRequest, limit=settings.REDRIVE_SUBMIT_MAX_BYTES)
    outcome = service.submit(
        [entry.item() for entry in asked.entries],
        kind=asked.kind,
        source=asked.source,
        actor=actor,
        reason=asked.reason,
    )
    return answer(SubmitResponse.of(outcome), status=202)


def _entry(request: HttpRequest, actor: Actor, entry_id: int) -> HttpResponse:
    actor.require(VIEW_ENTRY)
    parse_query(request, NoQuery)
    return answer(reading.entry_detail(entry_id, actor=actor))


def _status(request: HttpRequest, actor: Actor) -> HttpResponse:
    actor.require(VIEW_STATUS)
    parse_query(request, NoQuery)
    return answer(reading.status(actor))


retry = api_view(post=_retry)
entries = api_view(get=_entries, post=_submit)
entry = api_view(get=_entry)
status = api_view(get=_status)
nothing = api_view()
