"""The rows of syncs and imports, from the request to the end.

Every write is conditional on the state that it leaves, so a worker that was declared lost writes
nothing any more. Other modules write no state of a ``Sync`` or an ``Import``.
"""

import logging
from collections.abc import Sequence
from typing import Any, TypeVar, cast

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from entries.errors import SourceError
from entries.text import clean_text, describe_error, scrub
from retry.models import Import, Intake, Sync, SyncState
from retry.notices.events import record_source_failing
from retry.outcomes import Actor, Channel
from retry.sentences import INTERRUPTED as INTERRUPTED_WORDS

logger = logging.getLogger(__name__)

OPEN = (SyncState.QUEUED, SyncState.RUNNING)
#: Counts of a row that starts over.
NOTHING_YET = dict.fromkeys(("created", "updated", "unchanged", "invalid", "queued"), 0)
_NOTES = 60
#: The code of a sync that was stopped on purpose.
INTERRUPTED = "interrupted"
R = TypeVar("R", bound=Intake)


def insert(row: R, *, actor: Actor) -> R:
    """Insert ``row`` in the state that it has."""
    row.actor_id, row.actor_label, row.channel = actor.user_id, actor.label, actor.channel
    row.request_id = actor.request_id
    row.save(force_insert=True)
    return row


def claim(row: Intake) -> bool:
    """Move ``queued -> running`` and read the row again; False where it cannot be claimed.

    The caller holds the row's lock.
    """
    queued = select(row).filter(state=SyncState.QUEUED)
    if not queued.update(state=SyncState.RUNNING, started_at=Now()):
        return False
    # Another worker may have continued it since it was read.
    row.refresh_from_db(from_queryset=select(row).select_related("source", "actor"))
    return True


def write(row: Intake, **fields: Any) -> bool:
    """Write ``fields``; False where the row is not running any more."""
    return bool(select_running(row).update(**fields))


def succeed(row: Intake, *, notes: Sequence[str], **fields: Any) -> bool:
    """Move ``running -> succeeded``."""
    cleaned = [clean_text(scrub(note), limit=500) for note in notes[:_NOTES]]
    return write(row, state=SyncState.SUCCEEDED, ended_at=Now(), notes=cleaned, **fields)


def fail(row: Intake, *, code: str, message: str) -> bool:
    """Move ``running -> failed``. The counts stay at what was stored until then."""
    with transaction.atomic():
        failed = write(
            row,
            state=SyncState.FAILED,
            ended_at=Now(),
            error_code=code[:50],
            error=clean_text(scrub(message), limit=1_000),
        )
        if failed and isinstance(row, Sync) and not row.dry_run and code != INTERRUPTED:
            row.refresh_from_db(fields=["error"])
            record_source_failing(row)
    return failed


def fail_with(row: Intake, error: BaseException) -> None:
    """Move ``running -> failed`` with what ``error`` says.

    Without a database it is only logged; the dispatcher does it once it finds the row's lock free.
    """
    match error:
        case SourceError():
            code, message = error.code, str(error)
        case Exception():
            info = describe_error(error)
            code, message = "internal_error", f"{info.error_class}: {info.message}"
        case _:
            code, message = INTERRUPTED, INTERRUPTED_WORDS()
    try:
        if not connection.in_atomic_block and not connection.is_usable():
            connection.close()
        fail(row, code=code, message=message)
    except (DatabaseError, InterfaceError):
        logger.warning("sync.unnoted", extra={"job_id": row.job_id, "code": code})


def put_back(row: Intake, **fields: Any) -> bool:
    """Move ``running -> queued`` and write ``fields`` for the worker that begins again.

    The dispatcher finds that Redis does not have it.
    """
    return write(row, state=SyncState.QUEUED, started_at=None, **fields)


def requeue(row: Intake, *, job_id: str) -> bool:
    """Move ``failed -> queued`` to go on where it stopped, marked as handed over once."""
    failed = select(row).filter(state=SyncState.FAILED)
    cleared = {"error": "", "error_code": "", "started_at": None, "ended_at": None}
    return bool(failed.update(state=SyncState.QUEUED, job_id=job_id, dispatches=1, **cleared))


def find_waiting_syncs() -> QuerySet[Sync]:
    """Return queued syncs that a worker may begin: a source is read by one at a time."""
    busy = Sync.objects.filter(source=OuterRef("source"), state=SyncState.RUNNING)
    return Sync.objects.filter(~Exists(busy), state=SyncState.QUEUED)


def find_waiting_imports() -> QuerySet[Import]:
    """Return queued imports; none waits for another."""
    return Import.objects.filter(state=SyncState.QUEUED)


def find_undispatched(*, limit: int) -> list[Intake]:
    """Return rows that were committed and never reached Redis: of each sort the oldest first."""
    return [
        row
        for found in (find_waiting_syncs(), find_waiting_imports())
        for row in found.filter(dispatches=0).order_by("created_at", "pk")[:limit]
    ]


def read_actor(row: Intake) -> Actor:
    """Return who asked for it, as far as that is still known."""
    return Actor(row.actor_label, Channel(row.channel), row.actor, row.request_id)


def select(row: Intake) -> QuerySet[Any]:
    return select_all(type(row)).filter(pk=row.pk)


def select_running(row: Intake) -> QuerySet[Any]:
    return select(row).filter(state=SyncState.RUNNING)


def select_all(model: type[Intake]) -> QuerySet[Any]:
    return cast("Any", model).objects.all()  # type: ignore[no-any-return]
