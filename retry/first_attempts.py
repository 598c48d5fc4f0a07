"""Enqueue: store what the application itself has to do, for now or for later."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from entries import storage, transitions
from entries.kinds import registry
from entries.sources.base import SourceItem
from retry import audit
from retry.errors import InvalidItems
from retry.models import Trigger
from retry.outcomes import Actor
from retry.runs.start import start_entries
from retry.submission import find_problems


def enqueue_entries(
    items: Sequence[SourceItem],
    *,
    kind: str,
    actor: Actor,
    run_after: datetime | None = None,
    ahead: bool = False,
    reason: str = "",
) -> list[int]:
    """Store new entries without a source and queue them; return their ids, in the items' order.

    With a ``run_after`` in the future they are scheduled for then. ``ahead`` hands them over before
    what waits in their queue. For the application, whose code decides what it enqueues: needs no
    permission. The external ids must be new, as random ones are; an entry that has one already
    is left as it is. Raises ``InvalidItems`` and ``entries.errors.UnknownKind`` before anything is
    stored. In the caller's transaction, nothing is handed over before its commit.
    """
    registry.get(kind)
    problems = {
        (index, member): words
        for index, item in enumerate(items)
        for member, words in find_problems(item).items()
    }
    if problems:
        raise InvalidItems(problems)
    with transaction.atomic():
        stored = storage.store(source_id=None, kind=kind, items=items)
        new = sorted(s.id for s in stored if s.status is None)
        if run_after is not None and run_after > timezone.now():
            _defer(new, until=run_after, actor=actor, reason=reason)
        else:
            start_entries(
                new,
                verb="submit",
                trigger=Trigger.SUBMIT,
                actor=actor,
                reason=reason,
                bulk=True,
                ahead=ahead,
            )
    return [s.id for s in stored]


def _defer(ids: Sequence[int], *, until: datetime, actor: Actor, reason: str) -> None:
    transitions.defer(ids, until=until)
    audit.record(
        "submit",
        actor=actor,
        count=len(ids),
        reason=reason,
        entry_id=ids[0] if len(ids) == 1 else None,
        after={"run_after": until.isoformat()},
    )
