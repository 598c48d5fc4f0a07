"""What people decide about an error group.

Each verb needs a group of which the actor may see an entry, checks its state under a lock, and
writes its audit event in the same transaction. Repeating one changes nothing.
"""

from collections.abc import Collection
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import DateTimeField, Func, Value
from django.db.models.functions import Now
from django.utils import timezone

from retry import audit
from retry.access.permissions import MANAGE_ERROR_GROUP
from retry.edits import get_subject
from retry.error_groups.errors import InvalidMute, WrongGroupState
from retry.error_groups.lock import lock_group
from retry.models import ErrorGroup, GroupState
from retry.outcomes import Actor
from retry.sentences import MUTE_ENDED

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: States in which a group asks for attention, or is set aside for a while.
UNRESOLVED = (
    GroupState.OPEN,
    GroupState.ACKNOWLEDGED,
    GroupState.MUTED,
    GroupState.REGRESSED,
)
#: Groups that are opened in one step of the dispatcher.
_BATCH = 100


def acknowledge(
    group_id: int, *, actor: Actor, owner: "User | None" = None, reason: str = ""
) -> ErrorGroup:
    """Say that someone takes care of it: ``owner``, or else the actor.

    Raises ``NotPermitted``, ``ErrorGroupNotFound`` and ``WrongGroupState``.
    """
    owner = owner or actor.user
    changes = {"state": GroupState.ACKNOWLEDGED, "owner_id": owner.pk if owner else None}
    return _change(
        group_id, "acknowledge_group", changes, states=UNRESOLVED, actor=actor, reason=reason
    )


def note(group_id: int, *, actor: Actor, text: str) -> ErrorGroup:
    """Replace the group's note; an empty text removes it.

    Raises ``NotPermitted`` and ``ErrorGroupNotFound``.
    """
    changes = {"note": text.strip()[:1000]}
    return _change(group_id, "note_group", changes, states=GroupState, actor=actor)


def mute(
    group_id: int,
    *,
    actor: Actor,
    until: datetime | None = None,
    above: int | None = None,
    reason: str = "",
) -> ErrorGroup:
    """Set it aside until a time, or until more than ``above`` further attempts have failed so.

    Raises ``InvalidMute`` where neither is given, and as ``acknowledge`` does.
    """
    actor.require(MANAGE_ERROR_GROUP)
    if (until is None and above is None) or (above is not None and not 0 <= above < 2**31):
        raise InvalidMute
    if until is not None and until <= timezone.now():
        raise InvalidMute
    changes = {"state": GroupState.MUTED, "muted_until": until, "mute_above": above}
    return _change(group_id, "mute_group", changes, states=UNRESOLVED, actor=actor, reason=reason)


def unmute(group_id: int, *, actor: Actor, reason: str = "") -> ErrorGroup:
    """Open a muted group. Raises as ``acknowledge`` does."""
    changes = {"state": GroupState.OPEN}
    states = (GroupState.MUTED,)
    return _change(group_id, "unmute_group", changes, states=states, actor=actor, reason=reason)


def resolve(group_id: int, *, actor: Actor, reason: str = "") -> ErrorGroup:
    """Say that it is over; the next failure regresses it. Raises as ``acknowledge`` does.

    Entries that are failed stay so.
    """
    changes = {
        "state": GroupState.RESOLVED,
        "resolved_by": actor.label,
        "resolved_operation_id": None,
    }
    return _change(
        group_id, "resolve_group", changes, states=UNRESOLVED, actor=actor, reason=reason
    )


def reopen(group_id: int, *, actor: Actor, reason: str = "") -> ErrorGroup:
    """Open a group that is resolved or acknowledged. Raises as ``acknowledge`` does."""
    changes = {"state": GroupState.OPEN, "owner_id": None}
    states = (GroupState.RESOLVED, GroupState.ACKNOWLEDGED)
    return _change(group_id, "reopen_group", changes, states=states, actor=actor, reason=reason)


def unmute_due_groups(*, actor: Actor) -> int:
    """Open the muted groups whose time is over; return how many."""
    actor.require(MANAGE_ERROR_GROUP)
    due = ErrorGroup.objects.filter(state=GroupState.MUTED, muted_until__lte=Now())
    if not due.exists():
        return 0
    with transaction.atomic():
        groups = list(due.order_by("pk").select_for_update(skip_locked=True)[:_BATCH])
        ErrorGroup.objects.filter(pk__in=[g.pk for g in groups]).update(state=GroupState.OPEN)
        for group in groups:
            audit.record(
                "unmute_group",
                actor=actor,
                count=1,
                reason=MUTE_ENDED(),
                subject=get_subject(group),
                before={"state": group.state},
                after={"state": GroupState.OPEN.value},
            )
    return len(groups)


def _change(
    group_id: int,
    verb: str,
    changes: dict[str, Any],
    *,
    states: Collection[str],
    actor: Actor,
    reason: str = "",
) -> ErrorGroup:
    """Lock, check, change and audit in one transaction; what changes nothing is not recorded."""
    actor.require(MANAGE_ERROR_GROUP)
    with transaction.atomic():
        group = lock_group(group_id, actor=actor)
        if group.state not in states:
            raise WrongGroupState(state=group.state)
        before = {name: getattr(group, name) for name in changes}
        if before == changes:
            return group
        moments: dict[str, Any] = {}
        if changes.get("state") == GroupState.MUTED:
            moments["mute_from"] = Value(group.failures)
        elif changes.get("state") == GroupState.RESOLVED:
            moments["resolved_at"] = Func(function="clock_timestamp", output_field=DateTimeField())
        ErrorGroup.objects.filter(pk=group_id).update(**changes, **moments)
        audit.record(
            verb,
            actor=actor,
            count=1,
            reason=reason,
            subject=get_subject(group),
            before={name: _export(value) for name, value in before.items()},
            after={name: _export(value) for name, value in changes.items()},
        )
        group.refresh_from_db()
    return group


def _export(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if value is None or isinstance(value, int) else str(value)
