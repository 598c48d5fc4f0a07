"""The shapes of entries: read, retried, submitted."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field, model_validator

from entries.content import content_hash
from entries.models import Attempt, Entry
from entries.sources.base import SourceItem
from entries.sources.ids import MAX_ID as MAX_EXTERNAL_ID
from entries.sources.items import MAX_TITLE
from entries.states import AttemptStatus, EntryStatus
from retry.api.http.links import build_run_address
from retry.api.http.schemas import (
    STORABLE,
    EntryId,
    KindName,
    ReasonRequest,
    ReasonText,
    Request,
    Response,
    SourceSlug,
    describe_choices,
)
from retry.outcomes import ItemOutcome
from retry.reasons import Reason
from retry.submission import LIMIT, Effect, SubmitOutcome

#: What a resync finds.
_CHANGES = ("changed", "unchanged", "gone")


class RetryRequest(ReasonRequest):
    entry_id: EntryId


class RetryResponse(Response):
    """``dispatched`` is false where Redis cannot be reached: the entry is queued all the same.
    ``job_id``: of the job in Redis.
    """

    entry_id: int
    attempt: int
    run_id: UUID
    job_id: str
    status: EntryStatus
    dispatched: bool
    progress_url: str

    @classmethod
    def from_item(cls, item: ItemOutcome, *, dispatched: bool) -> Self:
        return cls.model_validate(
            {
                "entry_id": item.entry_id,
                "attempt": item.attempt,
                "run_id": item.run_id,
                "job_id": item.job_id,
                "status": item.status,
                "dispatched": dispatched,
                "progress_url": build_run_address(item.run_id),
            }
        )


class StopResponse(Response):
    entry_id: int
    status: EntryStatus

    @classmethod
    def from_item(cls, item: ItemOutcome) -> Self:
        return cls.model_validate({"entry_id": item.entry_id, "status": item.status})


class EntryError(Response):
    class_: str = Field(serialization_alias="class")
    message: str
    fingerprint: str

    @classmethod
    def from_row(cls, row: Entry | Attempt) -> Self | None:
        if not row.error_class:
            return None
        return cls(class_=row.error_class, message=row.error_message, fingerprint=row.fingerprint)


class EntrySummary(Response):
    id: int
    kind: str
    source: str | None
    upstream: str
    external_id: str
    title: str
    status: EntryStatus
    attempt: int
    error: EntryError | None
    failed_at: datetime | None
    next_attempt_at: datetime | None
    gone_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_entry(cls, entry: Entry) -> Self:
        return cls.model_validate(_summarise(entry))


class AttemptDetail(Response):
    """``change``: what a resync found (``changed``, ``unchanged``, ``gone``), else empty; the
    hashes are of title and payload as stored before and as the source has them. ``request_id`` is
    empty where no request has caused it.
    """

    number: int
    run_id: UUID
    request_id: str
    status: Annotated[str, describe_choices(AttemptStatus)]
    is_rescan: bool
    change: Annotated[str, describe_choices(_CHANGES, "")]
    hash_before: str
    hash_after: str
    previous_status: Annotated[str, describe_choices(EntryStatus, "")]
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    worker: str
    error: EntryError | None
    traceback: str
    result: Any

    @classmethod
    def from_attempt(cls, attempt: Attempt, entry: Entry) -> Self:
        names = cls.model_fields.keys() - {"error", "request_id"}
        values = {name: getattr(attempt, name) for name in names}
        values["request_id"] = getattr(attempt, "request_id", "")  # of ``with_request_ids``
        values |= attempt.find_progress(entry)._asdict()
        return cls.model_validate(values | {"error": EntryError.from_row(attempt)})


class EntryDetail(EntrySummary):
    """``attempts``: newest first, at most 100. ``content_hash``: for an edit.

    ``payload`` is null for callers who may not see payloads, and so are results, which may repeat
    them.
    """

    content_hash: str
    payload: Any
    result: Any
    attempts: list[AttemptDetail]

    @classmethod
    def from_entry_and_attempts(cls, entry: Entry, attempts: list[Attempt]) -> Self:
        more = {
            "content_hash": content_hash(entry.title, entry.payload),
            "payload": entry.payload,
            "result": entry.result,
            "attempts": [AttemptDetail.from_attempt(attempt, entry) for attempt in attempts],
        }
        return cls.model_validate(_summarise(entry) | more)

    def without_payloads(self) -> Self:
        attempts = [attempt.model_copy(update={"result": None}) for attempt in self.attempts]
        return self.model_copy(update={"payload": None, "result": None, "attempts": attempts})


class EntryPage(Response):
    results: list[EntrySummary]
    next_cursor: str | None


class SubmitItem(Request):
    """``payload``: at most 256 KB. It is not held against the ``payload_schema`` of the kind: what
    the kind cannot process fails when it is processed.
    """

    external_id: Annotated[str, Field(min_length=1, max_length=MAX_EXTERNAL_ID), STORABLE]
    title: Annotated[str, Field(max_length=MAX_TITLE), STORABLE] = ""
    payload: dict[str, Any]

    def item(self) -> SourceItem:
        return SourceItem(self.external_id, self.title, self.payload)


class SubmitRequest(Request):
    """``kind`` may be left out with a ``source``, which has a kind for its entries."""

    kind: KindName | None = None
    source: SourceSlug | None = None
    entries: Annotated[list[SubmitItem], Field(min_length=1, max_length=LIMIT)]
    reason: ReasonText = ""

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        if self.kind is None and self.source is None:
            raise ValueError("give kind or source")
        return self


class SubmitResult(Response):
    """``run_id`` is null and ``reason`` says why where this call did not queue the entry.
    ``entry_id`` and ``status`` are null where the entry exists and is hidden from the caller.
    """

    external_id: str
    entry_id: int | None
    outcome: Effect
    status: EntryStatus | None
    attempt: int
    run_id: UUID | None
    reason: Reason | None


class SubmitRun(Response):
    run_id: UUID
    queued: int
    progress_url: str


class SubmitResponse(Response):
    """``results`` in the order in which the entries were sent. ``runs`` have what was queued."""

    results: list[SubmitResult]
    queued: int
    runs: list[SubmitRun]
    dispatched: bool

    @classmethod
    def from_outcome(cls, outcome: SubmitOutcome) -> Self:
        results = [
            SubmitResult(
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
        queued = Counter(item.run_id for item in outcome.items if item.run_id is not None)
        runs = [
            SubmitRun(run_id=run_id, queued=count, progress_url=build_run_address(run_id))
            for run_id, count in queued.items()
        ]
        return cls(results=results, queued=outcome.queued, runs=runs, dispatched=outcome.dispatched)


def _summarise(entry: Entry) -> dict[str, object]:
    return {
        "id": entry.pk,
        "kind": entry.kind,
        "source": entry.source.slug if entry.source else None,
        "upstream": entry.upstream,
        "external_id": entry.external_id,
        "title": entry.title,
        "status": entry.status,
        "attempt": entry.attempt,
        "error": EntryError.from_row(entry),
        "failed_at": entry.failed_at,
        "next_attempt_at": entry.next_attempt_at if entry.status == "scheduled" else None,
        "gone_at": entry.gone_at,
        "created_at": entry.created_at,
        "updated_at": entry.updated_at,
    }
