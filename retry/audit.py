"""Writing the audit; always in the transaction of the act, but for what was refused."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from retry.models import AuditEvent
from retry.outcomes import Actor

REFUSED = "refused"
#: Refusals of one user that are written down in an hour; and the same one, once in so long.
MOST_REFUSALS = 20
_WINDOW = timedelta(hours=1)
_SAME_AGAIN = timedelta(minutes=10)


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
    subject: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    AuditEvent.objects.create(
        verb=verb,
        actor_id=actor.user_id,
        actor_label=actor.label,
        channel=actor.channel.value,
        request_id=actor.request_id,
        entry_id=entry_id,
        run_id=run_id,
        source_id=source_id,
        operation_id=operation_id,
        subject=subject[:100],
        count=count,
        reason=reason[:500],
        before=before,
        after=after,
    )


def record_refusal(what: str, *, actor: Actor, permission: str = "") -> bool:
    """Write down that an actor may not do what was asked for; False where enough is written.

    In a transaction of its own: there is none of the act. Bounded for each user, so that nobody
    fills the audit by asking again and again. Only users are ever refused.
    """
    if actor.user_id is None:
        return False
    told = {"what": what[:300], "needs": permission}
    noted = AuditEvent.objects.filter(verb=REFUSED, actor=actor.user_id).order_by("-id")
    now = timezone.now()
    recent = [e for e in noted.values("at", "after")[:MOST_REFUSALS] if e["at"] > now - _WINDOW]
    again = any(e["after"] == told and e["at"] > now - _SAME_AGAIN for e in recent)
    if again or len(recent) >= MOST_REFUSALS:
        return False
    with transaction.atomic():
        record(REFUSED, actor=actor, count=0, after=told)
    return True
