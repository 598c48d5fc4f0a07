"""The history of syncs and imports: each row from the request to its end, and its way to a worker.

Every write is conditional on the state that it leaves: a worker that was declared lost writes
nothing any more.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import Now

from entries.models import Source
from entries.sources.sync.full import SyncProgress, SyncReport
from entries.text import clean_text, scrub
from retry import queue
from retry.errors import QueueUnavailable
from retry.models import Import, Intake, Sync, SyncState
from retry.outcomes import Actor, Channel
from retry.runs.job_ids import dispatch_job_id, sync_job_id

logger = logging.getLogger(__name__)

QUEUE = "sync"
OPEN = (SyncState.QUEUED, SyncState.RUNNING)
_NOTES = 60


_FUNCTIONS: Mapping[type[Intake], str] = {Sync: queue.SYNC_SOURCE, Import: queue.IMPORT_FILE}
R = TypeVar("R", bound=Intake)


def create(source: Source, *, actor: Actor, reason: str, dry_run: bool) -> Sync:
    """A queued sync; see ``insert_queued``."""
    job_id = sync_job_id(source.slug, token=uuid4())
    row = Sync(source=source, reason=reason, dry_run=dry_run, job_id=job_id)
    return insert_queued(row, actor=actor)


def begin(source: Source, *, actor: Actor, dry_run: bool) -> Sync:
    """A running one, for whoever does it here and now under the source's lock."""
    row = Sync(source=source, dry_run=dry_run, state=SyncState.RUNNING, started_at=Now())
    return _inserted(row, actor)


def insert_queued(row: R, *, actor: Actor) -> R:
    """In the caller's transaction; handed over once that has committed.

    It is inserted as if the hand-over went well. Where Redis could not be reached it is marked
    for the dispatcher, and where this process dies in between, the dispatcher misses it in Redis.
    """
    row.state, row.dispatches = SyncState.QUEUED, 1
    _inserted(row, actor)
    transaction.on_commit(lambda: _hand_over_new(row), robust=True)
    return row


def claim(row: Intake) -> bool:
    """``queued -> running``; False where it is not to be had. Under the lock of what is read."""
    queued = _same(row).filter(state=SyncState.QUEUED)
    return bool(queued.update(state=SyncState.RUNNING, started_at=Now()))


def count(row: Sync, progress: SyncProgress, *, queued: int) -> bool:
    """How far it is, for those who watch; False where it is not running any more."""
    return write(
        row,
        total=progress.total,
        created=progress.created,
        updated=progress.updated,
        unchanged=progress.unchanged,
        invalid=progress.invalid,
        queued=queued,
    )


def succeed(row: Sync, report: SyncReport, *, queued: int) -> bool:
    return write(
        row,
        state=SyncState.SUCCEEDED,
        ended_at=Now(),
        created=report.created,
        updated=report.updated,
        unchanged=report.unchanged,
        gone=report.gone,
        invalid=report.invalid,
        queued=queued,
        not_modified=report.not_modified,
        notes=cleaned(report.notes),
        sample=report.sample,
    )


def cleaned(notes: Sequence[str]) -> list[str]:
    return [clean_text(scrub(note), limit=500) for note in notes[:_NOTES]]


def fail(row: Intake, *, code: str, message: str) -> bool:
    """The counts stay at what was stored until then."""
    return write(
        row,
        state=SyncState.FAILED,
        ended_at=Now(),
        error_code=code[:50],
        error=clean_text(scrub(message), limit=1_000),
    )


def put_back(row: Intake, **fields: Any) -> bool:
    """``running -> queued``; the dispatcher finds that Redis does not have it.

    ``fields``: what else is written, for whoever begins again.
    """
    return write(row, state=SyncState.QUEUED, started_at=None, **fields)


#: For who begins at the beginning.
NOTHING_YET = dict.fromkeys(("created", "updated", "unchanged", "invalid", "queued"), 0)


def find_waiting() -> QuerySet[Sync]:
    """Queued ones that a worker may begin: a source is read by one at a time."""
    busy = Sync.objects.filter(source=OuterRef("source"), state=SyncState.RUNNING)
    return Sync.objects.filter(~Exists(busy), state=SyncState.QUEUED)


def find_waiting_imports() -> QuerySet[Import]:
    """Queued ones; none waits for another."""
    return Import.objects.filter(state=SyncState.QUEUED)


def find_undispatched(*, limit: int) -> list[Intake]:
    """Those that were committed and never reached Redis, of each sort the oldest first."""
    return [
        row
        for found in (find_waiting(), find_waiting_imports())
        for row in found.filter(dispatches=0).order_by("created_at", "pk")[:limit]
    ]


def hand_over(rows: Iterable[Intake]) -> int:
    """Those that Redis does not have; returns how many reached it. Never raises for Redis.

    Must be called outside a transaction: a job may start before this returns.
    """
    sent: list[Intake] = []
    for row in rows:
        if not _sent(row, dispatches=row.dispatches):
            break
        sent.append(row)
    for model in _FUNCTIONS:
        ids = [row.pk for row in sent if isinstance(row, model)]
        _rows(model).filter(pk__in=ids).update(dispatches=F("dispatches") + 1)
    return len(sent)


def write(row: Intake, **fields: Any) -> bool:
    """Only while it is running."""
    return bool(_same(row).filter(state=SyncState.RUNNING).update(**fields))


def advance(row: Import, *, position: int, **fields: Any) -> bool:
    """From ``row.position`` to ``position``; False where somebody else is at work on it, or nobody
    is any more. In the transaction that stored what lies between.
    """
    here = _same(row).filter(state=SyncState.RUNNING, position=row.position)
    return bool(here.update(position=position, **fields))


def queue_again(row: R, *, job_id: str) -> bool:
    """``failed -> queued``, to go on, in the caller's transaction; handed over after it."""
    failed = _same(row).filter(state=SyncState.FAILED)
    cleared = {"error": "", "error_code": "", "started_at": None, "ended_at": None}
    if not failed.update(state=SyncState.QUEUED, job_id=job_id, dispatches=1, **cleared):
        return False
    row.refresh_from_db()
    transaction.on_commit(lambda: _hand_over_new(row), robust=True)
    return True


def _inserted(row: R, actor: Actor) -> R:
    row.actor_id, row.actor_label, row.channel = actor.user_id, actor.label, actor.channel
    row.save(force_insert=True)
    return row


def _same(row: Intake) -> QuerySet[Any]:
    return _rows(type(row)).filter(pk=row.pk)


def _rows(model: type[Intake]) -> QuerySet[Any]:
    return cast("Any", model).objects.all()  # type: ignore[no-any-return]


def _hand_over_new(row: Intake) -> None:
    if not _sent(row, dispatches=0):
        _same(row).filter(state=SyncState.QUEUED, dispatches=1).update(dispatches=0)
        row.dispatches = 0


def _sent(row: Intake, *, dispatches: int) -> bool:
    handover = queue.JobSpec(
        job_id=dispatch_job_id(row.job_id, dispatches=dispatches),
        queue=QUEUE,
        argument=str(row.pk),
        timeout=settings.REDRIVE_SYNC_TIMEOUT,
        function=_FUNCTIONS[type(row)],
    )
    try:
        queue.hand_over(handover)
    except QueueUnavailable as error:
        logger.warning("handover.failed", extra={"job_id": row.job_id, "error": str(error)})
        return False
    return True


def actor_of(row: Intake) -> Actor:
    """Who asked for it, as far as that is still known."""
    return Actor(row.actor_label, Channel(row.channel), row.actor)
