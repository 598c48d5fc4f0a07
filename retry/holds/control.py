"""The verbs of holds: put a kind, an upstream of a kind or a source on hold, and lift it.

Held work stays queued, regardless of who requests it. A worker in the middle of a run finishes the
entry at hand. A hold with an end is lifted by the dispatcher. After the lift everything that waited
starts, the oldest first and at a ramp.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from entries.kinds import registry
from entries.kinds.upstreams import has_upstreams
from entries.phrases import Phrase, phrase
from retry import audit, wakeup
from retry.access.permissions import MANAGE_HOLD
from retry.access.records import require_all_sources, visible_holds
from retry.access.visibility import visible_sources
from retry.errors import SourceNotFound
from retry.holds.errors import AlreadyOnHold, EndInThePast, HoldLifted, HoldNotFound, NoUpstreams
from retry.models import Hold
from retry.notices.events import record_breaker
from retry.outcomes import Actor
from retry.runs.probe import dismiss_probe
from retry.sentences import HOLD_ENDED


def hold_kind(
    name: str,
    upstream: str = "",
    *,
    actor: Actor,
    reason: str = "",
    ends_at: datetime | None = None,
) -> Hold:
    """Put a kind on hold, or with ``upstream`` its entries that depend on that upstream.

    ``ends_at``: when the dispatcher lifts it. Takes over a hold of the breaker. Raises
    ``NotPermitted``, also where a source is hidden from the actor: what is held is of all sources;
    ``entries.errors.UnknownKind``, ``NoUpstreams``, ``AlreadyOnHold`` and ``EndInThePast``.
    """
    actor.require(MANAGE_HOLD)
    require_all_sources(actor)
    _check_end(ends_at)
    if not has_upstreams(registry.get(name)) and upstream:
        raise NoUpstreams(name)
    target: dict[str, Any] = {"kind": name, "upstream": upstream}
    with transaction.atomic():
        active = _lock_active(**target)
        if active is None:
            try:
                return _create(target | {"ends_at": ends_at}, actor=actor, reason=reason)
            except AlreadyOnHold:
                active = _lock_active(**target)  # perhaps by the breaker, at the same moment
        if active is None or not active.automatic:
            raise AlreadyOnHold(describe_target(Hold(**target)))
        return _take_over(active, actor=actor, reason=reason, ends_at=ends_at)


def hold_source(
    slug: str, *, actor: Actor, reason: str = "", ends_at: datetime | None = None
) -> Hold:
    """Put a source on hold: its entries do not start, and it is not synced automatically.

    ``ends_at``: when the dispatcher lifts it. Raises ``NotPermitted``, ``SourceNotFound``,
    ``AlreadyOnHold`` and ``EndInThePast``.
    """
    actor.require(MANAGE_HOLD)
    _check_end(ends_at)
    source = visible_sources(actor).filter(slug=slug).first()
    if source is None:
        raise SourceNotFound(slug)
    with transaction.atomic():
        active = _lock_active(source=source)
        if active is not None:
            raise AlreadyOnHold(describe_target(active))
        return _create({"source": source, "ends_at": ends_at}, actor=actor, reason=reason)


def trip(kind: str, upstream: str = "", *, actor: Actor, reason: str, probe_after: float) -> Hold:
    """Put the breaker's hold on an upstream of a kind, or on a kind that has no upstreams; the
    first probe is due after ``probe_after`` seconds.

    Raises ``AlreadyOnHold``.
    """
    actor.require(MANAGE_HOLD)
    target = {"kind": kind, "upstream": upstream}
    with transaction.atomic():
        active = _lock_active(**target)
        if active is not None:
            raise AlreadyOnHold(describe_target(active))
        first = Now() + timedelta(seconds=probe_after)
        values = {**target, "automatic": True, "next_probe_at": first}
        hold = _create(values, actor=actor, reason=reason)
        record_breaker(hold)
        return hold


def lift(hold_id: int, *, actor: Actor, reason: str = "") -> Hold:
    """Lift a hold. Raises ``NotPermitted``, ``HoldNotFound`` and ``HoldLifted``."""
    actor.require(MANAGE_HOLD)
    with transaction.atomic():
        hold = Hold.objects.select_for_update(of=("self",)).filter(pk=hold_id).first()
        if hold is None or not visible_holds(actor).filter(pk=hold_id).exists():
            raise HoldNotFound(hold_id)
        if hold.source_id is None:
            require_all_sources(actor)
        if hold.lifted_at is not None:
            raise HoldLifted(by=hold.lifted_by)
        _lift(hold, actor=actor, reason=reason)
    return hold


def lift_ended(*, actor: Actor) -> int:
    """Lift the holds whose end has come, each in a transaction of its own; return how many.

    One that is lifted, or gets another end, at the same moment is passed over.
    """
    actor.require(MANAGE_HOLD)
    ended = Hold.objects.filter(lifted_at=None, ends_at__lte=Now()).order_by("pk")
    lifted = 0
    for hold_id in list(ended.values_list("pk", flat=True)):
        with transaction.atomic():
            # By the database's clock, and looked at again under the lock.
            due = ended.filter(pk=hold_id).select_for_update(of=("self",), skip_locked=True).first()
            if due is not None:
                _lift(due, actor=actor, reason=HOLD_ENDED())
                lifted += 1
    return lifted


def _lift(hold: Hold, *, actor: Actor, reason: str) -> None:
    """Lift a locked hold and audit it, in the caller's transaction."""
    _dismiss_probe(hold)
    Hold.objects.filter(pk=hold.pk).update(
        lifted_at=Now(),
        lifted_by=actor.label,
        lifted_reason=reason[:500],
        probe_run_id=None,
        next_probe_at=None,
    )
    _audit("lift", hold, actor, reason, before=_as_data(hold))
    wakeup.notify()
    hold.refresh_from_db()


def describe_target(hold: Hold) -> Phrase:
    """Return ``kind page``, ``upstream crm of webhook`` or ``source news``."""
    if hold.upstream:
        return phrase("upstream %(upstream)s of %(kind)s", upstream=hold.upstream, kind=hold.kind)
    if hold.kind:
        return phrase("kind %(kind)s", kind=hold.kind)
    return phrase("source %(source)s", source=hold.source.slug if hold.source else "")


def _lock_active(**target: Any) -> Hold | None:
    """Lock the active hold on a target until the caller's transaction ends."""
    active = Hold.objects.select_for_update(of=("self",)).filter(lifted_at=None, **target)
    return active.first()


def _create(values: dict[str, Any], *, actor: Actor, reason: str) -> Hold:
    try:
        with transaction.atomic():
            hold = Hold.objects.create(
                **values, actor_id=actor.user_id, actor_label=actor.label, reason=reason[:500]
            )
    except IntegrityError as error:  # another request did, at the same moment
        raise AlreadyOnHold(describe_target(Hold(**values))) from error
    _audit("hold", hold, actor, reason, after=_as_data(hold))
    hold.refresh_from_db()
    return hold


def _take_over(hold: Hold, *, actor: Actor, reason: str, ends_at: datetime | None) -> Hold:
    """Make the breaker's hold a person's: it is not probed, and only people lift it."""
    before = _as_data(hold)
    _dismiss_probe(hold)
    hold.automatic = False
    hold.actor_id, hold.actor_label, hold.reason = actor.user_id, actor.label, reason[:500]
    hold.probe_run_id = hold.next_probe_at = None
    hold.ends_at = ends_at
    hold.save()
    _audit("hold", hold, actor, reason, before=before, after=_as_data(hold))
    return hold


def _check_end(ends_at: datetime | None) -> None:
    if ends_at is not None and ends_at <= timezone.now():
        raise EndInThePast


def _dismiss_probe(hold: Hold) -> None:
    if hold.probe_run_id is not None:
        dismiss_probe(hold.probe_run_id)


def _as_data(hold: Hold) -> dict[str, Any]:
    if hold.kind:
        target = {"kind": hold.kind}
    else:
        target = {"source": hold.source.slug if hold.source else ""}
    if hold.upstream:
        target["upstream"] = hold.upstream
    told = target | {"automatic": hold.automatic, "reason": hold.reason}
    return told | ({"ends_at": hold.ends_at.isoformat()} if hold.ends_at else {})


def _audit(verb: str, hold: Hold, actor: Actor, reason: str, **change: Any) -> None:
    audit.record(verb, actor=actor, count=1, reason=reason, source_id=hold.source_id, **change)
