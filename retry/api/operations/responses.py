"""What answers about operations look like."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from retry.api.http.schemas import Response, describe_choices
from retry.models import CANARY_STATES, Action, Operation, OperationState, PauseCause
from retry.operations.items import OUTCOMES, Item
from retry.operations.progress import Progress
from retry.operations.selection import Preview
from retry.pages import Page


class BulkPreviewResponse(Response):
    """``exact`` is false where counting took too long: at least ``total``; ``eligible`` is null."""

    total: int
    eligible: int | None
    skipped: dict[str, int]
    exact: bool

    @classmethod
    def from_preview(cls, preview: Preview) -> Self:
        skipped = {reason.value: count for reason, count in preview.skipped.items()}
        return cls(
            total=preview.total, eligible=preview.eligible, skipped=skipped, exact=preview.exact
        )


class BulkRetryResponse(BulkPreviewResponse):
    """``total`` is what the operation selected, also where ``exact`` is false."""

    operation_id: UUID
    state: Annotated[str, describe_choices(OperationState)]
    progress_url: str


class BulkProgressResponse(Response):
    """Counts of entries, adding up to ``total``. ``rate``: outcomes a second. ``eta``: seconds.

    ``ramp_step``: which step of the ramp is under way, from 0; null where none is. ``held_by``: ids
    of the holds for which some of it waits, empty where it is not under way.
    """

    operation_id: UUID
    action: Annotated[str, describe_choices(Action)]
    state: Annotated[str, describe_choices(OperationState)]
    held_by: list[int]
    pause_reason: str
    pause_cause: Annotated[str, describe_choices(PauseCause, "")]
    canary: Annotated[str, describe_choices(CANARY_STATES)]
    ramp: list[int]
    ramp_step: int | None
    start_at: datetime | None
    decided_by: str
    decided_at: datetime | None
    actor: str
    request_id: str
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
    def from_progress(cls, progress: Progress, *, held_by: Sequence[int]) -> Self:
        operation = progress.operation
        return cls(
            operation_id=operation.pk,
            action=operation.action,
            state=operation.state,
            held_by=list(held_by),
            pause_reason=operation.pause_reason,
            pause_cause=operation.pause_cause,
            canary=operation.canary_state,
            ramp=operation.ramp,
            ramp_step=None if operation.canary_done or not operation.ramp else operation.ramp_step,
            start_at=operation.start_at,
            decided_by=operation.decided_by,
            decided_at=operation.decided_at,
            actor=operation.actor_label,
            request_id=operation.request_id,
            reason=operation.reason,
            selection=operation.selection_words,
            total=progress.total,
            planned=progress.planned,
            queued=progress.queued,
            running=progress.running,
            succeeded=progress.succeeded,
            failed=progress.failed,
            scheduled=progress.scheduled,
            unchanged=progress.unchanged,
            cancelled=progress.cancelled,
            skipped=dict(progress.skipped),
            # Of the last minute, which says nothing of one that has ended.
            rate=0.0 if progress.finished else round(progress.rate, 2),
            eta=None if progress.eta_seconds is None else round(progress.eta_seconds, 1),
            created_at=operation.created_at,
            started_at=operation.started_at,
            finished_at=operation.ended_at,
        )


class OperationSummary(Response):
    operation_id: UUID
    action: Annotated[str, describe_choices(Action)]
    state: Annotated[str, describe_choices(OperationState)]
    actor: str
    reason: str
    selection: str
    total: int
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def from_operation(cls, operation: Operation) -> Self:
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


class ItemResponse(Response):
    """``reason``: why it was skipped; null otherwise. ``attempt`` is null where there was none."""

    entry_id: int
    outcome: Annotated[str, describe_choices(OUTCOMES)]
    reason: str | None
    attempt: int | None
    error_class: str
    error_message: str
    ended_at: datetime | None

    @classmethod
    def from_item(cls, item: Item) -> Self:
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
    def from_page(cls, page: Page[Item], *, next_cursor: str | None) -> Self:
        results = [ItemResponse.from_item(item) for item in page.items]
        return cls(results=results, next_cursor=next_cursor)
