"""The shapes of runs."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from retry.api.http.schemas import Response, describe_choices
from retry.api.operations.responses import ItemResponse
from retry.models import Run, RunState, Trigger
from retry.operations.items import Item
from retry.runs.request_ids import find_request_id

_COUNTED = (
    "planned",
    "queued",
    "running",
    "succeeded",
    "failed",
    "scheduled",
    "unchanged",
    "cancelled",
)


class RunDetail(Response):
    """Counts and ``items`` of the entries that the caller may see; the counts add up to ``total``.

    ``handed_on``: entries that went on in another run, because their worker died or they are on
    hold. ``dispatched`` is false while Redis has no job of it: Redis cannot be reached, or the run
    is held. ``held_by``: ids of the holds for which it waits. ``reason``: empty where it is that of
    an operation with entries which the caller may not see. ``request_id``: of the request that it
    goes back to, empty where none has caused it.
    """

    run_id: UUID
    operation_id: UUID | None
    trigger: Annotated[str, describe_choices(Trigger)]
    request_id: str
    actor: str
    reason: str
    kind: str
    source: str | None
    state: Annotated[str, describe_choices(RunState)]
    dispatched: bool
    held_by: list[int]
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
    handed_on: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    items: list[ItemResponse]

    @classmethod
    def from_run(
        cls, run: Run, items: Sequence[Item], *, total: int, held_by: Sequence[int]
    ) -> Self:
        outcomes = Counter(item.outcome for item in items)
        counts = {name: outcomes[name] for name in _COUNTED}
        return cls(
            run_id=run.pk,
            operation_id=run.operation_id,
            trigger=run.trigger,
            request_id=find_request_id(run),
            actor=run.actor_label,
            reason=run.reason,
            kind=run.kind,
            source=run.source.slug if run.source else None,
            state=run.state,
            dispatched=run.dispatches > 0,
            held_by=list(held_by),
            total=total,
            **counts,
            skipped=Counter(item.reason for item in items if item.reason is not None),
            handed_on=total - len(items),
            created_at=run.created_at,
            started_at=run.started_at,
            finished_at=run.ended_at,
            items=[ItemResponse.from_item(item) for item in items],
        )
