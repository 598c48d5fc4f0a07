"""The shapes of the JSON API. Strict: a string is no number, an unknown field is an error."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
)

from entries.moments import parse_moment
from entries.states import EntryStatus
from retry.heartbeats import WorkerView
from retry.models import Hold
from retry.outcomes import ItemOutcome

MAX_ID = 2**63 - 1
_NUMBER = re.compile(r"[0-9]{1,19}")


def _storable(value: str) -> str:
    """PostgreSQL stores any text but this; lone surrogates do not get past pydantic."""
    if "\x00" in value:
        raise ValueError("must not contain NUL characters")
    return value


def digits(value: str) -> str:
    """Of a query string; pydantic would also take ``1_000``, `` 7`` and ``7.0``."""
    if not _NUMBER.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


STORABLE = AfterValidator(_storable)
EntryId = Annotated[int, Field(gt=0, le=MAX_ID)]
ReasonText = Annotated[str, Field(max_length=500), STORABLE]
UpstreamName = Annotated[str, Field(min_length=1, max_length=200), STORABLE]
Moment = Annotated[datetime, PlainValidator(parse_moment)]


class Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Response(BaseModel):
    model_config = ConfigDict(frozen=True)


class RetryRequest(Request):
    entry_id: EntryId
    reason: ReasonText = ""


class RetryResponse(Response):
    """``dispatched`` is false where Redis is away: the entry is queued all the same."""

    entry_id: int
    attempt: int
    run_id: UUID
    job_id: str
    status: EntryStatus
    dispatched: bool

    @classmethod
    def of(cls, item: ItemOutcome, *, dispatched: bool) -> Self:
        return cls.model_validate(
            {
                "entry_id": item.entry_id,
                "attempt": item.attempt,
                "run_id": item.run_id,
                "job_id": item.job_id,
                "status": item.status,
                "dispatched": dispatched,
            }
        )


class StopResponse(Response):
    entry_id: int
    status: EntryStatus

    @classmethod
    def of(cls, item: ItemOutcome) -> Self:
        return cls.model_validate({"entry_id": item.entry_id, "status": item.status})


class Query(BaseModel):
    """A query string: every value arrives as text, so this cannot be strict."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """Refused rather than overlooked: somebody meant something by it."""


class EntryQuery(Query):
    """``failed_after`` is inclusive, ``failed_before`` is not.

    Nothing may be empty: a script whose variable is empty by mistake must not get everything.
    """

    status: EntryStatus | None = None
    kind: Annotated[str, Field(min_length=1, max_length=50), STORABLE] | None = None
    source: Annotated[str, Field(min_length=1, max_length=80), STORABLE] | None = None
    upstream: UpstreamName | None = None
    fingerprint: Annotated[str, Field(min_length=1, max_length=40), STORABLE] | None = None
    error_class: Annotated[str, Field(min_length=1, max_length=200), STORABLE] | None = None
    q: Annotated[str, Field(min_length=1, max_length=200), STORABLE] | None = None
    failed_after: Moment | None = None
    failed_before: Moment | None = None
    gone: Literal["yes", "no"] | None = None
    cursor: Annotated[EntryId, BeforeValidator(digits)] | None = None
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=500)] = 100


class EntryError(Response):
    class_: str = Field(serialization_alias="class")
    message: str
    fingerprint: str


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


class AttemptDetail(Response):
    """``change``: what a resync found (``changed``, ``unchanged``, ``gone``), else empty; the
    hashes are of title and payload as they were stored and as the source has them.
    """

    number: int
    run_id: UUID
    status: str
    is_rescan: bool
    change: str
    hash_before: str
    hash_after: str
    previous_status: str
    queued_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    worker: str
    error: EntryError | None
    traceback: str
    result: Any


class EntryDetail(EntrySummary):
    """``attempts``: newest first, at most 100."""

    payload: Any
    result: Any
    attempts: list[AttemptDetail]


class EntryPage(Response):
    results: list[EntrySummary]
    next_cursor: str | None


class WorkerStatus(Response):
    """``state``: idle, busy, waiting (for Redis), or silent: it was stopped, killed or cut off.

    ``run_id``, ``current_job`` and ``busy_since`` say what it is at, or was when last heard of.
    """

    name: str
    queues: list[str]
    state: str
    current_job: str | None
    last_heartbeat: datetime
    run_id: UUID | None
    busy_since: datetime | None
    host: str
    pid: int

    @classmethod
    def of(cls, worker: WorkerView) -> "WorkerStatus":
        return cls(
            name=worker.name,
            queues=[worker.queue],
            state="silent" if worker.silent else worker.state,
            current_job=worker.job_id or None,
            last_heartbeat=worker.beat_at,
            run_id=worker.run_id,
            busy_since=worker.busy_since,
            host=worker.host,
            pid=worker.pid,
        )


class DispatcherStatus(Response):
    """``alive``: it has given a sign of life within the last ten seconds."""

    alive: bool
    beat_at: datetime | None
    host: str | None
    pid: int | None


class StandingHold(Response):
    """``automatic``: put there by the breaker, which probes and lifts it itself."""

    id: int
    kind: str | None
    upstream: str | None
    source: str | None
    automatic: bool
    actor: str
    reason: str
    created_at: datetime
    probes: int
    next_probe_at: datetime | None

    @classmethod
    def of(cls, hold: Hold) -> Self:
        names = cls.model_fields.keys() - {"kind", "upstream", "source", "actor"}
        told = {name: getattr(hold, name) for name in names} | {
            "kind": hold.kind or None,
            "upstream": hold.upstream or None,
            "source": hold.source.slug if hold.source else None,
            "actor": hold.actor_label,
        }
        return cls.model_validate(told)


class StatusResponse(Response):
    """``queues`` is null where Redis cannot be reached, ``entries`` for who may see none.
    ``holds``: that stand. ``waits``: by queue, for how many seconds the oldest of what could start
    has been waiting.
    """

    entries: dict[str, int] | None
    queues: dict[str, int] | None
    workers: list[WorkerStatus]
    dispatcher: DispatcherStatus
    undispatched: int
    oldest_queued_at: datetime | None
    waits: dict[str, float]
    redis: bool
    holds: list[StandingHold]
