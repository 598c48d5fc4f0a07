"""The verbs of holds: put a kind, an upstream of a kind or a source on hold, and lift it.

Nothing of what is held starts, whoever asks for it: it is queued and waits. What runs finishes the
entry at hand. Lifted, all of it goes on by itself, the oldest first.
"""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from entries.kinds import registry
from entries.kinds.upstreams import has_upstreams
from entries.models import Source
from retry import audit, wakeup
from retry.access.permissions import MANAGE_HOLD
from retry.errors import (
    AlreadyOnHold,
    HoldLifted,
    HoldNotFound,
    NoUpstreams,
    SourceNotFound,
)
from retry.models import Hold, Run, RunState
from retry.outcomes import Actor


def hold_kind(name: str, upstream: str = "", *, actor: Actor, reason: str = "") -> Hold:
    """Nothing of the kind starts until somebody lifts it, or with ``upstream`` nothing of it that
    depends on that one; the breaker's hold is taken over.

    Raises ``NotPermitted``, ``entries.errors.UnknownKind``, ``NoUpstreams`` and ``AlreadyOnHold``.
    """
    actor.require(MANAGE_HOLD)
    if not has_upstreams(registry.get(name)) and upstream:
        raise NoUpstreams(name)
    what = {"kind": name, "upstream": upstream}
    with transaction.atomic():
        standing = _standing(**what)
        if standing is None:
            try:
                return _put(what, actor=actor, reason=reason)
            except AlreadyOnHold:
                standing = _standing(**what)  # perhaps by the breaker, at the same moment
        if standing is None or not standing.automatic:
            raise AlreadyOnHold(describe_target(Hold(**what)))
        return _take_over(standing, actor=actor, reason=reason)


def hold_source(slug: str, *, actor: Actor, reason: str = "") -> Hold:
    """Nothing of the source's entries starts, and it is not synced by itself, until it is lifted.

    Raises ``NotPermitted``, ``SourceNotFound`` and ``AlreadyOnHold``.
    """
    actor.require(MANAGE_HOLD)
    source = Source.objects.filter(slug=slug).first()
    if source is None:
        raise SourceNotFound(slug)
    with transaction.atomic():
        standing = _standing(source=source)
        if standing is not None:
            raise AlreadyOnHold(describe_target(standing))
        return _put({"source": source}, actor=actor, reason=reason)


def trip(kind: str, upstream: str = "", *, actor: Actor, reason: str, probe_after: float) -> Hold:
    """The breaker's hold on an upstream of a kind, or on a kind that has none, with its first
    probe after so many seconds.

    Raises ``AlreadyOnHold``.
    """
    actor.require(MANAGE_HOLD)
    what = {"kind": kind, "upstream": upstream}
    with transaction.atomic():
        standing = _standing(**what)
        if standing is not None:
            raise AlreadyOnHold(describe_target(standing))
        first = Now() + timedelta(seconds=probe_after)
        return _put({**what, "automatic": True, "next_probe_at": first}, actor=actor, reason=reason)


def lift(hold_id: int, *, actor: Actor, reason: str = "") -> Hold:
    """Let everything go on. Raises ``NotPermitted``, ``HoldNotFound`` and ``HoldLifted``."""
    actor.require(MANAGE_HOLD)
    with transaction.atomic():
        hold = Hold.objects.select_for_update(of=("self",)).filter(pk=hold_id).first()
        if hold is None:
            raise HoldNotFound(hold_id)
        if hold.lifted_at is not None:
            raise HoldLifted(by=hold.lifted_by)
        _forget_probe(hold)
        Hold.objects.filter(pk=hold.pk).update(
            lifted_at=Now(),
            lifted_by=actor.label,
            lifted_reason=reason[:500],
            probe_run_id=None,
            next_probe_at=None,
        )
        _audit("lift", hold, actor, reason, before=_told(hold))
        wakeup.call()
        hold.refresh_from_db()
    return hold


def describe_target(hold: Hold) -> str:
    """``kind page``, ``upstream crm of webhook`` or ``source news``"""
    if hold.upstream:
        return f"upstream {hold.upstream} of {hold.kind}"
    return f"kind {hold.kind}" if hold.kind else f"source {hold.source.slug if hold.source else ''}"


def _standing(**of: Any) -> Hold | None:
    """Locked until the caller's transaction ends."""
    standing = Hold.objects.select_for_update(of=("self",)).filter(lifted_at=None, **of)
    return standing.first()


def _put(values: dict[str, Any], *, actor: Actor, reason: str) -> Hold:
    try:
        with transaction.atomic():
            hold = Hold.objects.create(
                **values, actor_id=actor.user_id, actor_label=actor.label, reason=reason[:500]
            )
    except IntegrityError as error:  # somebody else did, at the same moment
        raise AlreadyOnHold(describe_target(Hold(**values))) from error
    _audit("hold", hold, actor, reason, after=_told(hold))
    hold.refresh_from_db()
    return hold


def _take_over(hold: Hold, *, actor: Actor, reason: str) -> Hold:
    """What the breaker holds, a person holds now: nothing is probed, and only a person lifts it."""
    before = _told(hold)
    _forget_probe(hold)
    hold.automatic = False
    hold.actor_id, hold.actor_label, hold.reason = actor.user_id, actor.label, reason[:500]
    hold.probe_run_id = hold.next_probe_at = None
    hold.save()
    _audit("hold", hold, actor, reason, before=before, after=_told(hold))
    return hold


def _forget_probe(hold: Hold) -> None:
    """A probe that nobody has begun is a run like any other from now on."""
    if hold.probe_run_id is not None:
        probe = Run.objects.filter(pk=hold.probe_run_id, state=RunState.QUEUED)
        probe.update(probe=False)


def _told(hold: Hold) -> dict[str, Any]:
    of = {"kind": hold.kind} if hold.kind else {"source": describe_target(hold).partition(" ")[2]}
    if hold.upstream:
        of["upstream"] = hold.upstream
    return of | {"automatic": hold.automatic, "reason": hold.reason}


def _audit(verb: str, hold: Hold, actor: Actor, reason: str, **change: Any) -> None:
    audit.record(verb, actor=actor, count=1, reason=reason, source_id=hold.source_id, **change)
