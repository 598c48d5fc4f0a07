"""A worker's way through one sync."""

import logging
from collections.abc import Callable, Iterable, Sequence

from django.db import transaction

from entries.errors import SourceError
from entries.models import Entry
from entries.request_ids import bound_id
from entries.sources.sync.batches import BATCH
from entries.sources.sync.full_sync import sync
from entries.sources.sync.report import AdoptedFailure, OnBatch, SyncProgress, SyncReport
from entries.states import EntryStatus
from entries.transitions import Outcome
from retry import audit, outcome_counts
from retry.intakes import rows
from retry.intakes.claims import Lost, Stopped, claim
from retry.models import Sync
from retry.outcomes import Actor, SyncOutcome
from retry.retries import submit_entries

logger = logging.getLogger(__name__)


def perform(sync_id: int, *, stop: Callable[[], bool]) -> None:
    """Do a queued sync, unless it cannot be claimed.

    ``stop`` is called between batches; once it returns True, what was stored is kept, and another
    worker begins the sync again.
    """
    row = Sync.objects.filter(pk=sync_id).first()
    if row is None:
        return
    with bound_id(row.request_id), claim(row) as claimed:
        if not claimed:
            return
        try:
            run(row, actor=rows.read_actor(row), stop=stop)
        except SourceError as error:
            logger.warning("sync.failed", extra={"code": error.code, "error": str(error)})
        except Stopped:
            rows.put_back(row, **rows.NOTHING_YET)
            logger.info("sync.put_back")


def run(
    row: Sync,
    *,
    actor: Actor,
    submit: bool = True,
    on_batch: OnBatch | None = None,
    stop: Callable[[], bool] | None = None,
) -> SyncOutcome:
    """Do a running sync and write down how it ended. Raises ``SourceError``.

    The caller holds the row's lock.
    """
    task = _Task(row, actor, submit=submit and not row.dry_run, on_batch=on_batch, stop=stop)
    try:
        report = sync(
            row.source,
            dry_run=row.dry_run,
            on_batch=task.take_batch,
            on_adopted=task.count_adopted,
        )
        task.submit_left_over()
    except Stopped:
        raise
    except BaseException as error:
        rows.fail_with(row, error)
        raise
    task.end(report)
    return SyncOutcome(row.pk, report, task.queued, task.dispatched)


class _Task:
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

    def take_batch(self, progress: SyncProgress) -> None:
        if self._submit and progress.created_ids:
            self._submit_ids(progress.created_ids)
        if not rows.write(
            self._row,
            total=progress.total,
            created=progress.created,
            updated=progress.updated,
            unchanged=progress.unchanged,
            invalid=progress.invalid,
            queued=self.queued,
        ):
            raise Lost(f"sync {self._row.pk} was ended by another process")
        if self._on_batch is not None:
            self._on_batch(progress)
        if self._stop is not None and self._stop():
            raise Stopped

    def count_adopted(self, adopted: Sequence[AdoptedFailure]) -> None:
        """Count failures that have happened elsewhere, at the time at which they did."""
        outcome_counts.append_foreign_failures(
            [
                (
                    found.entry.failed_at,
                    Outcome(
                        found.entry.id,
                        EntryStatus.FAILED,
                        error=found.error,
                        upstream=found.entry.upstream,
                    ),
                )
                for found in adopted
            ],
            kind=self._row.source.entry_kind,
            source_id=self._row.source_id,
        )

    def submit_left_over(self) -> None:
        """Queue what an earlier sync stored and did not live to submit."""
        if not self._submit:
            return
        new = Entry.objects.filter(source=self._row.source, status=EntryStatus.PENDING, attempt=0)
        self._submit_ids(new.order_by("id").values_list("id", flat=True)[:BATCH])

    def end(self, report: SyncReport) -> None:
        """Succeed, with the audit; a dry run has changed nothing that would have to be audited."""
        counts = {
            "created": report.created,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "gone": report.gone,
            "invalid": report.invalid,
            "not_modified": report.not_modified,
        }
        with transaction.atomic():
            rows.succeed(
                self._row, notes=report.notes, sample=report.sample, queued=self.queued, **counts
            )
            if self._row.dry_run:
                return
            audit.record(
                "sync",
                actor=self._actor,
                count=report.created + report.updated + report.gone,
                source_id=self._row.source_id,
                after={"sync_id": self._row.pk, **counts},
            )

    def _submit_ids(self, ids: Iterable[int]) -> None:
        outcome = submit_entries(ids, actor=self._actor)
        self.queued += outcome.queued
        self.dispatched = self.dispatched and outcome.dispatched
