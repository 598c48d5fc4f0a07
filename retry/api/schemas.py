"""The shapes of the JSON API. Strict: a string is no number, an unknown field is an error."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from entries.states import EntryStatus

MAX_ID = 2**63 - 1


def _storable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain NUL characters")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("must not contain lone surrogates")
    return value


EntryId = Annotated[int, Field(gt=0, le=MAX_ID)]
Text = Annotated[str, AfterValidator(_storable)]
ReasonText = Annotated[Text, Field(max_length=500)]


class Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Response(BaseModel):
    model_config = ConfigDict(frozen=True)


class RetryRequest(Request):
    entry_id: EntryId
    reason: ReasonText = ""


class RetryResponse(Response):
    """``dispatched`` is false where Redis could not be reached: the entry is queued all the same."""

    entry_id: int
    attempt: int
    run_id: UUID
    job_id: str
    status: EntryStatus
    dispatched: bool


class EntryQuery(BaseModel):
    """The query string of ``GET entries``; every value arrives as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    status: EntryStatus | None = None
    kind: Annotated[Text, Field(max_length=50)] | None = None
    source: Annotated[Text, Field(max_length=80)] | None = None
    fingerprint: Annotated[Text, Field(max_length=40)] | None = None
    error_class: Annotated[Text, Field(max_length=200)] | None = None
    q: Annotated[Text, Field(max_length=200)] | None = None
    failed_after: datetime | None = None
    failed_before: datetime | None = None
    cursor: EntryId | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class EntryError(Response):
    class_: str = Field(serialization_alias="class")
    message: str
    fingerprint: str


class EntrySummary(Response):
    id: int
    kind: str
    source: str | None
    external_id: str
    title: str
    status: EntryStatus
    attempt: int
    error: EntryError | None
    failed_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime
    updated_at: datetime


class AttemptDetail(Response):
    number: int
    run_id: UUID
    status: str
    previous_status: str
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    worker: str
    error: EntryError | None
    traceback: str
    result: dict[str, Any] | None


class EntryDetail(EntrySummary):
    """``attempts``: newest first, at most 100."""

    payload: Any
    result: Any
    attempts: list[AttemptDetail]


class EntryPage(Response):
    results: list[EntrySummary]
    next_cursor: str | None


class WorkerStatus(Response):
    name: str
    queues: list[str]
    state: str
    current_job: str | None
    last_heartbeat: str | None


class DispatcherStatus(Response):
    """``alive``: it has given a sign of life within the last ten seconds."""

    alive: bool
    beat_at: datetime | None
    host: str | None
    pid: int | None


class StatusResponse(Response):
    """``queues`` and ``workers`` are null where Redis cannot be reached."""

    entries: dict[str, int]
    queues: dict[str, int] | None
    workers: list[WorkerStatus] | None
    dispatcher: DispatcherStatus
    undispatched: int
    oldest_queued_at: datetime | None
    redis: bool
