"""Passes: each rule of retention goes through its table now and then, batch by batch."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from retry import audit
from retry.models import RetentionPass
from retry.outcomes import Actor, Channel
from retry.retention.rules import RULES, Rule
from retry.retention.steps import Batch, Request

#: Rows that one batch looks at.
LIMIT = 1_000
#: Between the end of a rule's pass and the next one. What is kept for days can wait for hours.
INTERVAL = timedelta(hours=6)


def find_due() -> Sequence[str]:
    """Return the names of the rules with a pass under way or due, those under way first."""
    known = {row.name: row for row in RetentionPass.objects.all()}
    now = timezone.now()
    under_way, due = [], []
    for name, rule in RULES.items():
        row = known.get(name)
        if not rule.active:
            continue
        if row is not None and row.began_at is not None:
            under_way.append(name)
        elif row is None or row.ended_at is None or row.ended_at < now - INTERVAL:
            due.append(name)
    return [*under_way, *due]


def begin(name: str, *, actor: Actor) -> None:
    """Let the next batch be the first of a new pass, and audit what the one under way has deleted.

    Waits for a batch that another process does. The audit names who began it; ``actor`` where
    that is not known.
    """
    with transaction.atomic():
        row = _lock(name, wait=True)
        if row is not None and row.began_at is not None:
            _end(row, actor=actor)


def step(rule: Rule, *, actor: Actor, wait: bool = False) -> Batch | None:
    """Do one batch of a rule, in one transaction; where nothing is left, end its pass and audit it.

    The audit is in the name of the actor who began the pass.
    Returns None where the pass has ended, and unless it should ``wait`` also where another process
    is at this rule.
    """
    keep = rule.keep
    if keep is None:
        return None
    with transaction.atomic():
        row = _lock(rule.name, wait=wait)
        if row is None:
            return None
        if row.began_at is None or row.cutoff is None:
            now = timezone.now()
            row.began_at, row.cutoff, row.removed = now, now - keep, 0
            row.cursor_at, row.cursor_id = rule.first
            row.actor_id, row.actor_label = actor.user_id, actor.label
            row.channel = actor.channel.value
        found = rule.step(_build_request(row, row.cutoff))
        row.removed += found.removed
        row.cursor_at, row.cursor_id = found.last
        if found.scanned:
            row.save()
            return found
        _end(row, actor=actor)
        return None


def _lock(name: str, *, wait: bool) -> RetentionPass | None:
    """Lock a rule's row, which the first call makes; two at once would delete the same rows."""
    rows = RetentionPass.objects.select_for_update(skip_locked=not wait).filter(name=name)
    row = rows.first()
    if row is None and not RetentionPass.objects.filter(name=name).exists():
        RetentionPass.objects.bulk_create([RetentionPass(name=name)], ignore_conflicts=True)
        row = rows.first()
    return row


def _build_request(row: RetentionPass, cutoff: datetime) -> Request:
    return Request(cutoff=cutoff, after=(row.cursor_at, row.cursor_id), limit=LIMIT)


def _end(row: RetentionPass, *, actor: Actor) -> None:
    if row.removed:
        cutoff = row.cutoff.isoformat(timespec="seconds") if row.cutoff else None
        after = {"rule": row.name, "older_than": cutoff}
        audit.record("prune", actor=_find_actor(row) or actor, count=row.removed, after=after)
    row.began_at, row.ended_at, row.last_removed = None, timezone.now(), row.removed
    row.removed = 0
    row.save()


def _find_actor(row: RetentionPass) -> Actor | None:
    """Return who began a pass; None for one from before that was kept."""
    if not row.channel:
        return None
    return Actor(row.actor_label, Channel(row.channel), row.actor)
