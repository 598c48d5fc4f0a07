"""The audit; written in the transaction of the act it records. Refusals have their own."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from entries.sql import load
from retry.models import AuditEvent
from retry.outcomes import Actor

#: ``record_moved``, for the statement that queues entries.
FRAGMENTS = load(__file__).fragments

REFUSED = "refused"
#: Refusals of one user that are recorded within the window; the same one only once in a while.
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
        token_id=actor.token.id if actor.token else None,
        token_label=actor.token.name if actor.token else "",
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


def build_parameters(verb: str, *, actor: Actor, reason: str) -> dict[str, Any]:
    """Return the parameters of ``record_moved``; with an empty verb it records nothing."""
    return {
        "audit": verb,
        "actor": actor.user_id,
        "label": actor.label,
        "token_id": actor.token.id if actor.token else None,
        "token_label": actor.token.name if actor.token else "",
        "channel": actor.channel.value,
        "request_id": actor.request_id,
        "reason": reason[:500],
    }


def record_refusal(what: str, *, actor: Actor, permission: str = "") -> bool:
    """Record that an actor lacked a permission; return False where the bounds were reached.

    In a transaction of its own, as there is no act. The bounds are for each user, so that repeated
    requests do not fill the audit. Only users are ever refused.
    """
    if actor.user_id is None:
        return False
    refusal = {"what": what[:300], "needs": permission}
    recorded = AuditEvent.objects.filter(verb=REFUSED, actor=actor.user_id).order_by("-id")
    now = timezone.now()
    recent = [e for e in recorded.values("at", "after")[:MOST_REFUSALS] if e["at"] > now - _WINDOW]
    again = any(e["after"] == refusal and e["at"] > now - _SAME_AGAIN for e in recent)
    if again or len(recent) >= MOST_REFUSALS:
        return False
    with transaction.atomic():
        record(REFUSED, actor=actor, count=0, after=refusal)
    return True
