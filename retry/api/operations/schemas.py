"""The shapes of bulk operations."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, model_validator

from entries.filters import EntryFilter
from entries.states import EntryStatus
from retry.api.http.schemas import (
    STORABLE,
    EntryId,
    Moment,
    Query,
    ReasonText,
    Request,
    Response,
    digits,
)
from retry.models import Operation
from retry.operations.control import Pace
from retry.operations.items import Item, ItemPage
from retry.operations.progress import Progress
from retry.operations.selection import MAX_IDS, Preview, Selection

_Name = Annotated[str, Field(min_length=1, max_length=200), STORABLE]


class FilterRequest(Request):
    """All that is given must hold; ``{"all": true}`` alone means every entry."""

    status: EntryStatus | None = None
    kind: _Name | None = None
    source: _Name | None = None
    upstream: _Name | None = None
    fingerprint: _Name | None = None
    error_class: _Name | None = None
    q: _Name | None = None
    failed_after: Moment | None = None
    failed_before: Moment | None = None
    gone: Literal["yes", "no"] | None = None
    all: bool = False

    @model_validator(mode="after")
    def _all_stands_alone(self) -> Self:
        if self.all and self.model_fields_set != {"all"}:
            raise ValueError('"all" means every entry; leave the other fields out')
        return self

    def value(self) -> EntryFilter:
        return EntryFilter(**self.model_dump())


class SelectionRequest(Request):
    """Either ``entry_ids`` or ``filter``."""

    entry_ids: Annotated[list[EntryId], Field(min_length=1, max_length=MAX_IDS)] | None = None
    filter: FilterRequest | None = None
    reason: ReasonText = ""
    dry_run: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.entry_ids is None) == (self.filter is None):
            raise ValueError("give either entry_ids or filter")
        return self

    def selection(self) -> Selection:
        if self.filter is not None:
            return Selection(filter=self.filter.value())
        return Selection(ids=tuple(self.entry_ids or ()))

    def pace(self) -> Pace:
        return Pace()


class BulkRetryRequest(SelectionRequest):
    """``rate_per_second``: entries. ``canary_size`` entries go first, the rest only if at most
    ``max_failure_rate`` (0 to 1; with a canary 0.1 unless given) of them failed.
    """

    rate_per_second: Annotated[float, Field(gt=0, le=1_000_000, allow_inf_nan=False)] | None = None
    canary_size: Annotated[int, Field(ge=0, le=10_000)] = 0
    max_failure_rate: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None

    def pace(self) -> Pace:
        return Pace(
            rate_per_second=self.rate_per_second,
            canary_size=self.canary_size,
            max_failure_rate=self.max_failure_rate,
        )


class OneOrManyRequest(BulkRetryRequest):
    """One of ``entry_id``, ``entry_ids`` and ``filter``. A pace is for many."""

    entry_id: EntryId | None = None

    def chosen(self) -> list[str]:
        return [name for name in ("entry_id", "entry_ids", "filter") if getattr(self, name)]

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if len(self.chosen()) != 1:
            raise ValueError("give one of entry_id, entry_ids and filter")
        if self.entry_id is not None:
            extra = self.model_fields_set & _FOR_MANY
            if extra:
                raise ValueError(f"with entry_id leave out {', '.join(sorted(extra))}")
        return self


_FOR_MANY = frozenset({"dry_run", "rate_per_second", "canary_size", "max_failure_rate"})


class ResyncRequest(OneOrManyRequest):
    """One of ``entry_id``, ``entry_ids``, ``filter`` and ``source``, the slug of one.

    ``only_if_changed``: what the source has not changed is not processed again.
    """

    source: _Name | None = None
    only_if_changed: bool = False

    def chosen(self) -> list[str]:
        return [*super().chosen(), *(["source"] if self.source else [])]

    def selection(self) -> Selection:
        if self.source is not None:
            return Selection(filter=EntryFilter(source=self.source))
        return super().selection()


class BulkPreviewResponse(Response):
    """``exact`` is false where counting took too long: there are more than ``total``."""

    total: int
    eligible: int
    skipped: dict[str, int]
    exact: bool

    @classmethod
    def of(cls, found: Preview) -> Self:
        skipped = {reason.value: count for reason, count in found.skipped.items()}
        return cls(total=found.total, eligible=found.eligible, skipped=skipped, exact=found.exact)


class BulkRetryResponse(BulkPreviewResponse):
    operation_id: UUID
    state: str
    progress_url: str


class BulkProgressResponse(Response):
    """Counts of entries, adding up to ``total``. ``rate``: outcomes a second. ``eta``: seconds."""

    operation_id: UUID
    action: str
    state: str
    pause_reason: str
    pause_cause: str
    canary: str
    actor: str
    reason: str
    selection: str
    total: int
    planned: int
    queued: int
    running: int
    succeeded: int
    failed: int
    scheduled: int
    unchanged: int
    cancelled: int
    skipped: dict[str, int]
    rate: float
    eta: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @classmethod
    def of(cls, found: Progress) -> Self:
        operation = found.operation
        return cls(
            operation_id=operation.pk,
            action=operation.action,
            state=operation.state,
            pause_reason=operation.pause_reason,
            pause_cause=operation.pause_cause,
            canary=operation.canary_state,
            actor=operation.actor_label,
            reason=operation.reason,
            selection=operation.selection_words,
            total=found.total,
            planned=found.planned,
            queued=found.queued,
            running=found.running,
            succeeded=found.succeeded,
            failed=found.failed,
            scheduled=found.scheduled,
            unchanged=found.unchanged,
            cancelled=found.cancelled,
            skipped=dict(found.skipped),
            rate=round(found.rate, 2),
            eta=None if found.eta_seconds is None else round(found.eta_seconds, 1),
            created_at=operation.created_at,
            started_at=operation.started_at,
            finished_at=operation.ended_at,
        )


class OperationSummary(Response):
    operation_id: UUID
    action: str
    state: str
    actor: str
    reason: str
    selection: str
    total: int
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, operation: Operation) -> Self:
        return cls(
            operation_id=operation.pk,
            action=operation.action,
            state=operation.state,
            actor=operation.actor_label,
            reason=operation.reason,
            selection=operation.selection_words,
            total=operation.total,
            created_at=operation.created_at,
            finished_at=operation.ended_at,
        )


class OperationPage(Response):
    results: list[OperationSummary]
    next_cursor: str | None


class OperationQuery(Query):
    state: Literal["planned", "running", "paused", "completed", "cancelled"] | None = None
    cursor: UUID | None = None
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=500)] = 100


class ItemQuery(Query):
    outcome: (
        Literal[
            "planned",
            "queued",
            "running",
            "succeeded",
            "failed",
            "scheduled",
            "unchanged",
            "cancelled",
            "skipped",
        ]
        | None
    ) = None
    cursor: Annotated[str, Field(pattern=r"^[0-9]{1,9}\.[0-9a-f]{32}\.[0-9]{1,19}$")] | None = None
    limit: Annotated[int, BeforeValidator(digits), Field(ge=1, le=500)] = 100


class ItemResponse(Response):
    entry_id: int
    outcome: str
    reason: str | None
    attempt: int | None
    error_class: str
    error_message: str
    ended_at: datetime | None

    @classmethod
    def of(cls, item: Item) -> Self:
        return cls(
            entry_id=item.entry_id,
            outcome=item.outcome,
            reason=item.reason,
            attempt=item.attempt,
            error_class=item.error_class,
            error_message=item.error_message,
            ended_at=item.ended_at,
        )


class ItemPageResponse(Response):
    results: list[ItemResponse]
    next_cursor: str | None

    @classmethod
    def of(cls, page: ItemPage) -> Self:
        return cls(
            results=[ItemResponse.of(item) for item in page.items], next_cursor=page.next_cursor
        )
