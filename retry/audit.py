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
#: What events say was done; a test holds them against what is recorded, and against their names.
VERBS = frozenset(
    {
        *("submit", "retry", "retry_now", "stop", "resync", "resubmit"),
        *("restore", "discard", "wake", "rescue", "probe", "edit_and_retry"),
        *("start_retry", "start_resync", "start_retry_now", "start_stop"),
        *("start_discard", "start_restore", "start_repair", "start_undo"),
        *("approve", "reject", "reschedule", "pause", "resume", "cancel"),
        *("hold", "lift", "sync", "request_sync", "sync_lost"),
        *("import", "request_import", "confirm_import", "import_lost", "export"),
        *("acknowledge_group", "note_group", "mute_group", "unmute_group"),
        *("resolve_group", "reopen_group", "prove_group", "fail_proof"),
        *("save_view", "rename_view", "delete_view"),
        *("create_token", "change_token", "revoke_token", REFUSED),
        *("subscribe", "change_subscription", "unsubscribe", "test_subscription"),
        *("derive_upstreams", "index_entries", "recount_entries", "prune"),
        *("add_entry", "change_entry", "delete_entry"),
        *("add_source", "change_source", "delete_source"),
        *("add_endpoint", "change_endpoint", "delete_endpoint"),
        *("add_user", "change_user", "delete_user"),
        *("add_group", "change_group", "delete_group"),
        *("delete_accessattempt", "delete_accessfailurelog", "delete_accesslog"),
    }
)
#: Verbs of edits, also of models that this project does not know, such as another user model.
EDITS = r"^(add|change|delete)_[a-z0-9_]+$"
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
