"""Writing the audit; always in the transaction of the act."""

from typing import Any
from uuid import UUID

from retry.models import AuditEvent
from retry.outcomes import Actor


def record(
    verb: str,
    *,
    actor: Actor,
    count: int,
    reason: str = "",
    entry_id: int | None = None,
    run_id: UUID | None = None,
    source_id: int | None = None,
    operation_id: UUID | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    AuditEvent.objects.create(
        verb=verb,
        actor_id=actor.user_id,
        actor_label=actor.label,
        doorway=actor.doorway.value,
        request_id=actor.request_id,
        entry_id=entry_id,
        run_id=run_id,
        source_id=source_id,
        operation_id=operation_id,
        count=count,
        reason=reason[:500],
        before=before,
        after=after,
    )
