"""The history of syncs: each row from the request to its end, and its way to a worker.

Every write is conditional on the state that it leaves: a worker that was declared lost writes
nothing any more.
"""

import logging
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from entries.models import Source
from entries.sources.sync import SyncProgress, SyncReport
from entries.text import clean_text, scrub
from retry import queue
from retry.errors import QueueUnavailable
from retry.job_ids import dispatch_job_id, sync_job_id
from retry.models import Sync, SyncState
from retry.outcomes import Actor, Doorway

logger = logging.getLogger(__name__)

QUEUE = "sync"
OPEN = (SyncState.QUEUED, SyncState.RUNNING)
_NOTES = 60


def create(source: Source, *, actor: Actor, reason: str, dry_run: bool) -> Sync:
    """A queued one, in the caller's transaction; handed over once that has committed.

    It is inserted as if the hand-over went well. Where Redis could not be reached it is marked
    for the dispatcher, and where this process dies in between, the dispatcher misses it in Redis.
    """
    job_id = sync_job_id(source.slug, token=uuid4())
    sync = _insert(source, actor, reason=reason, dry_run=dry_run, job_id=job_id, dispatches=1)
    transaction.on_commit(lambda: _hand_over_new(sync), robust=True)
    return sync


def begin(source: Source, *, actor: Actor, dry_run: bool) -> Sync:
    """A running one, for whoever does it here and now under the source's lock."""
    return _insert(source, actor, dry_run=dry_run, state=SyncState.RUNNING, started_at=Now())


def claim(sync_id: int) -> bool:
    """``queued -> running``; False where it is not to be had. Under the source's lock."""
    queued = Sync.objects.filter(pk=sync_id, state=SyncState.QUEUED)
    return bool(queued.update(state=SyncState.RUNNING, started_at=Now()))


def count(sync_id: int, progress: SyncProgress, *, queued: int) -> bool:
    """How far it is, for those who watch; False where it is not running any more."""
    return _write(
        sync_id,
        total=progress.total,
        created=progress.created,
        updated=progress.updated,
        unchanged=progress.unchanged,
        invalid=progress.invalid,
        queued=queued,
    )


def succeed(sync_id: int, report: SyncReport, *, queued: int) -> bool:
    return _write(
        sync_id,
        state=SyncState.SUCCEEDED,
        ended_at=Now(),
        created=report.created,
        updated=report.updated,
        unchanged=report.unchanged,
        gone=report.gone,
        invalid=report.invalid,
        queued=queued,
        not_modified=report.not_modified,
        notes=[clean_text(scrub(note), limit=500) for note in report.notes[:_NOTES]],
        sample=report.sample,
    )


def fail(sync_id: int, *, code: str, message: str) -> bool:
    """The counts stay at what was stored until then."""
    return _write(
        sync_id,
        state=SyncState.FAILED,
        ended_at=Now(),
        error_code=code[:50],
        error=clean_text(scrub(message), limit=1_000),
    )


def put_back(sync_id: int) -> bool:
    """``running -> queued``, to begin anew; the dispatcher finds that Redis does not have it."""
    none = dict.fromkeys(("created", "updated", "unchanged", "invalid", "queued"), 0)
    return _write(sync_id, state=SyncState.QUEUED, started_at=None, **none)


def waiting() -> QuerySet[Sync]:
    """Queued ones that a worker may begin: a source is read by one at a time."""
    busy = Sync.objects.filter(source=OuterRef("source"), state=SyncState.RUNNING)
    return Sync.objects.filter(~Exists(busy), state=SyncState.QUEUED)


def undispatched(*, limit: int) -> list[Sync]:
    """Those that were committed and never reached Redis, oldest first."""
    return list(waiting().filter(dispatches=0).order_by("pk")[:limit])


def hand_over(syncs: Iterable[Sync]) -> int:
    """Those that Redis does not have; returns how many reached it. Never raises for Redis.

    Must be called outside a transaction: a job may start before this returns.
    """
    sent = []
    for sync in syncs:
        if not _sent(sync, dispatches=sync.dispatches):
            break
        sent.append(sync.pk)
    if sent:
        Sync.objects.filter(pk__in=sent).update(dispatches=F("dispatches") + 1)
    return len(sent)


def _insert(source: Source, actor: Actor, **fields: Any) -> Sync:
    return Sync.objects.create(
        source=source,
        actor_id=actor.user_id,
        actor_label=actor.label,
        doorway=actor.doorway,
        **fields,
    )


def _write(sync_id: int, **fields: Any) -> bool:
    return bool(Sync.objects.filter(pk=sync_id, state=SyncState.RUNNING).update(**fields))


def _hand_over_new(sync: Sync) -> None:
    if not _sent(sync, dispatches=0):
        queued = Sync.objects.filter(pk=sync.pk, state=SyncState.QUEUED, dispatches=1)
        queued.update(dispatches=0)
        sync.dispatches = 0


def _sent(sync: Sync, *, dispatches: int) -> bool:
    handover = queue.Handover(
        job_id=dispatch_job_id(sync.job_id, dispatches=dispatches),
        queue=QUEUE,
        argument=str(sync.pk),
        timeout=settings.REDRIVE_SYNC_TIMEOUT,
        function=queue.SYNC_SOURCE,
    )
    try:
        queue.hand_over(handover)
    except QueueUnavailable as error:
        logger.warning("handover.failed", extra={"sync_id": sync.pk, "error": str(error)})
        return False
    return True


def actor_of(sync: Sync) -> Actor:
    """Who asked for it, as far as that is still known."""
    return Actor(sync.actor_label, Doorway(sync.doorway), sync.actor)
