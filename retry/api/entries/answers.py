"""Answers that say where to follow what was queued."""

from django.http import HttpResponse

from retry.api.entries.schemas import RetryResponse, SubmitResponse
from retry.api.http.links import answer_location
from retry.api.http.resource import answer
from retry.outcomes import ItemOutcome
from retry.submission import SubmitOutcome


def answer_item(item: ItemOutcome, *, dispatched: bool) -> HttpResponse:
    model = RetryResponse.from_item(item, dispatched=dispatched)
    return answer_location(model, model.progress_url)


def answer_submission(outcome: SubmitOutcome) -> HttpResponse:
    """``Location`` is for one run; of several, the body has the addresses."""
    model = SubmitResponse.from_outcome(outcome)
    if len(model.runs) == 1:
        return answer_location(model, model.runs[0].progress_url)
    return answer(model, status=202)
