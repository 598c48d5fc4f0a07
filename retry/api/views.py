"""The addresses of the JSON API: parse, call, answer."""

from django.http import HttpRequest, HttpResponse

from retry import service
from retry.api import reading
from retry.api.base import answer, api_view, parse_body, parse_query
from retry.api.problems import Problem
from retry.api.schemas import EntryQuery, RetryRequest, RetryResponse
from retry.errors import NotPermitted
from retry.outcomes import Actor


def _retry(request: HttpRequest, actor: Actor) -> HttpResponse:
    asked = parse_body(request, RetryRequest)
    item, dispatched = service.retry_entry(asked.entry_id, actor=actor, reason=asked.reason)
    return answer(
        RetryResponse.model_validate(
            {
                "entry_id": item.entry_id,
                "attempt": item.attempt,
                "run_id": item.run_id,
                "job_id": item.job_id,
                "status": item.status,
                "dispatched": dispatched,
            }
        ),
        status=202,
    )


def _entries(request: HttpRequest, actor: Actor) -> HttpResponse:
    _may_view(actor)
    return answer(reading.entry_page(parse_query(request, EntryQuery), actor=actor))


def _entry(request: HttpRequest, actor: Actor, entry_id: int) -> HttpResponse:
    _may_view(actor)
    return answer(reading.entry_detail(entry_id, actor=actor))


def _status(request: HttpRequest, actor: Actor) -> HttpResponse:
    _may_view(actor)
    return answer(reading.status())


def _nothing(request: HttpRequest, actor: Actor, rest: str = "") -> HttpResponse:
    raise Problem(404, "not_found")


def _may_view(actor: Actor) -> None:
    if not actor.may("entries.view_entry"):
        raise NotPermitted("entries.view_entry")


retry = api_view(post=_retry)
entries = api_view(get=_entries)
entry = api_view(get=_entry)
status = api_view(get=_status)
nothing = api_view(
    get=_nothing, post=_nothing, put=_nothing, patch=_nothing, delete=_nothing, head=_nothing,
    options=_nothing,
)
