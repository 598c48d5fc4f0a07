"""A worker's way through one sync."""

import logging
from collections.abc import Callable, Iterable

from django.db import DatabaseError, InterfaceError, connection, transaction

from entries.errors import SourceError
from entries.models import Entry
from entries.sources.sync.batches import BATCH
from entries.sources.sync.full import OnBatch, SyncProgress, SyncReport, sync
from entries.sources.sync.lock import attempted
from entries.states import EntryStatus
from entries.text import describe_error
from retry import audit
from retry.models import Intake, Sync
from retry.outcomes import Actor, SyncOutcome
from retry.retries import submit_entries
from retry.syncs import rows

logger = logging.getLogger(__name__)


class _Stopped(Exception):
    """The process was asked to go."""


class _Lost(Exception):
    """The sync was ended by somebody else, who took this process for dead."""


def perform(sync_id: int, *, stop: Callable[[], bool]) -> None:
    """Do a queued sync, unless it was done already or its source is being read: then it stays
    queued, and the dispatcher hands it over again.

    ``stop`` is asked between batches; what was stored is kept, and the sync begins anew elsewhere.
    """
    found = Sync.objects.select_related("source", "actor").filter(pk=sync_id).first()
    if found is None:
        return
    with attempted(found.source_id) as alone:
        if not alone or not rows.claim(found):
            return
        try:
            run(found, actor=rows.actor_of(found), stop=stop)
        except SourceError as error:
            logger.warning("sync.failed", extra={"code": error.code, "error": str(error)})
        except _Stopped:
            rows.put_back(found, **rows.NOTHING_YET)
            logger.info("sync.put_back")


def run(
    row: Sync,
    *,
    actor: Actor,
    submit: bool = True,
    on_batch: OnBatch | None = None,
    stop: Callable[[], bool] | None = None,
) -> SyncOutcome:
    """Do one that is running by now, under its source's lock, and write down how it ended.

    Raises ``SourceError``.
    """
    working = _Working(row, actor, submit=submit and not row.dry_run, on_batch=on_batch, stop=stop)
    try:
        report = sync(row.source, dry_run=row.dry_run, on_batch=working.after_batch)
        working.submit_left_over()
    except _Stopped:
        raise
    except BaseException as error:
        note_failure(row, error)
        raise
    working.end(report)
    return SyncOutcome(row.pk, report, working.queued, working.dispatched)


class _Working:
    def __init__(
        self,
        row: Sync,
        actor: Actor,
        *,
        submit: bool,
        on_batch: OnBatch | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        self._row = row
        self._actor = actor
        self._submit = submit
        self._on_batch = on_batch
        self._stop = stop
        self.queued = 0
        self.dispatched = True

    def after_batch(self, progress: SyncProgress) -> None:
        if self._submit and progress.created_ids:
            self._submit_ids(progress.created_ids)
        if not rows.count(self._row, progress, queued=self.queued):
            raise _Lost(f"sync {self._row.pk} was given up by somebody else")
        if self._on_batch is not None:
            self._on_batch(progress)
        if self._stop is not None and self._stop():
            raise _Stopped

    def submit_left_over(self) -> None:
        """Queue what an earlier sync stored and did not live to submit."""
        if not self._submit:
            return
        new = Entry.objects.filter(source=self._row.source, status=EntryStatus.PENDING, attempt=0)
        self._submit_ids(new.order_by("id").values_list("id", flat=True)[:BATCH])

    def end(self, report: SyncReport) -> None:
        """With its audit; a dry run has changed nothing that would have to be audited."""
        with transaction.atomic():
            rows.succeed(self._row, report, queued=self.queued)
            if self._row.dry_run:
                return
            audit.record(
                "sync",
                actor=self._actor,
                count=report.created + report.updated + report.gone,
                source_id=self._row.source_id,
                after={
                    "sync_id": self._row.pk,
                    "created": report.created,
                    "updated": report.updated,
                    "unchanged": report.unchanged,
                    "gone": report.gone,
                    "invalid": report.invalid,
                    "not_modified": report.not_modified,
                },
            )

    def _submit_ids(self, ids: Iterable[int]) -> None:
        outcome = submit_entries(ids, actor=self._actor)
        self.queued += outcome.queued
        self.dispatched = self.dispatched and outcome.dispatched


def note_failure(row: Intake, error: BaseException) -> None:
    """Without a database the dispatcher does it, once that finds the source's lock free."""
    match error:
        case SourceError():
            code, message = error.code, str(error)
        case Exception():
            info = describe_error(error)
            code, message = "internal_error", f"{info.error_class}: {info.message}"
        case _:
            code, message = "interrupted", "It was interrupted; sync again for the rest."
    try:
        if not connection.in_atomic_block and not connection.is_usable():
            connection.close()
        rows.fail(row, code=code, message=message)
    except (DatabaseError, InterfaceError):
        logger.warning("sync.unnoted", extra={"job_id": row.job_id, "code": code})
