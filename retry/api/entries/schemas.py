"""The shapes of ``POST entries``."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from entries.sources.base import SourceItem
from entries.sources.ids import MAX_ID
from entries.sources.items import MAX_TITLE
from entries.states import EntryStatus
from retry.api.http.schemas import STORABLE, ReasonText, Request, Response
from retry.reasons import Reason
from retry.submission import LIMIT, Effect, SubmitOutcome


class SubmitItem(Request):
    external_id: Annotated[str, Field(min_length=1, max_length=MAX_ID), STORABLE]
    title: Annotated[str, Field(max_length=MAX_TITLE), STORABLE] = ""
    payload: dict[str, Any]

    def item(self) -> SourceItem:
        return SourceItem(self.external_id, self.title, self.payload)


class SubmitRequest(Request):
    """``kind`` may be left out where a ``source`` says what its entries are."""

    kind: Annotated[str, Field(min_length=1, max_length=50), STORABLE] | None = None
    source: Annotated[str, Field(min_length=1, max_length=80), STORABLE] | None = None
    entries: Annotated[list[SubmitItem], Field(min_length=1, max_length=LIMIT)]
    reason: ReasonText = ""


class SubmittedItem(Response):
    """``run_id`` is null and ``reason`` says why where it is not queued by this call. ``entry_id``
    and ``status`` are null where the entry is known and hidden from the caller.
    """

    external_id: str
    entry_id: int | None
    outcome: Effect
    status: EntryStatus | None
    attempt: int
    run_id: UUID | None
    reason: Reason | None


class SubmitResponse(Response):
    """``results`` in the order in which they were sent."""

    results: list[SubmittedItem]
    queued: int
    dispatched: bool

    @classmethod
    def of(cls, outcome: SubmitOutcome) -> Self:
        results = [
            SubmittedItem(
                external_id=item.external_id,
                entry_id=item.entry_id,
                outcome=item.effect,
                status=item.status,
                attempt=item.attempt,
                run_id=item.run_id,
                reason=item.reason,
            )
            for item in outcome.items
        ]
        return cls(results=results, queued=outcome.queued, dispatched=outcome.dispatched)
