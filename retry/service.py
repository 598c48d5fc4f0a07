"""The verbs. Every doorway parses, resolves the actor, and calls one of these.

Each verb checks the actor's permission, changes what it changes in one transaction together with
its audit, and hands work to RQ after the commit. Called inside somebody else's transaction the
hand-over waits for that one, and ``dispatched`` is False until then.
"""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from entries import transitions
from entries.models import Entry, Source
from entries.sources.sync import BATCH, SyncProgress, sync
from entries.states import EntryStatus
from retry import audit, queue, submission
from retry.errors import (
    NotPermitted,
    SourceNotFound,
    TooManyEntries,
    refusal,
)
from retry.job_ids import sync_job_id
from retry.models import Run, Trigger
from retry.outcomes import Actor, ItemOutcome, QueueOutcome, Reason, SyncOutcome, reason_for
from retry.runs import Handing, Placed, create_runs, run_sizes

RETRY = "entries.retry_entry"
SYNC = "entries.sync_source"
SUBMIT = submission.SUBMIT

#: The verb for pipelines that push has a module of its own.
submit = submission.submit


def retry_entries(ids: Iterable[int], *, actor: Actor, reason: str = "") -> QueueOutcome:
    """Put failed entries back to work with their stored input.

    Every distinct id gets an outcome: queued, or left alone with a reason. At most
    ``REDRIVE_SELECTION_LIMIT`` ids. Raises ``NotPermitted`` and ``TooManyEntries``, before
    anything is changed.
    """
    wanted = sorted(set(ids))
    _require(actor, RETRY)
    limit = settings.REDRIVE_SELECTION_LIMIT
    if len(wanted) > limit:
        raise TooManyEntries(limit=limit, given=len(wanted))
    return _queue_entries(wanted, verb="retry", trigger=Trigger.RETRY, actor=actor, reason=reason)


def retry_entry(entry_id: int, *, actor: Actor, reason: str = "") -> tuple[ItemOutcome, bool]:
    """``retry_entries`` for one: its outcome, and whether it has reached Redis.

    Raises ``EntryNotFound`` and ``NotRetryable`` where ``retry_entries`` gives a reason.
    """
    outcome = retry_entries([entry_id], actor=actor, reason=reason)
    item = outcome.items[0]
    if not item.queued:
        raise refusal(item)
    return item, outcome.dispatched


def submit_entries(ids: Iterable[int], *, actor: Actor, reason: str = "") -> QueueOutcome:
    """Queue pending entries for their first attempt; outcomes as in ``retry_entries``."""
    return _queue_entries(
        sorted(set(ids)), verb="submit", trigger=Trigger.SUBMIT, actor=actor, reason=reason
    )


def wake_entries(ids: Iterable[int], *, actor: Actor) -> QueueOutcome:
    """Queue scheduled entries whose automatic retry is due; the cycle goes on."""
    return _queue_entries(
        sorted(set(ids)), verb="wake", trigger=Trigger.AUTOMATIC, actor=actor, reason=""
    )


def _queue_entries(
    ids: Sequence[int], *, verb: str, trigger: Trigger, actor: Actor, reason: str
) -> QueueOutcome:
    """One transaction for all that commits together, one code path for one and for many."""
    bulk = len(ids) > settings.REDRIVE_CLICK_SIZE
    with transaction.atomic():
        seen = transitions.queue(ids, verb=verb, run_sizes=run_sizes(), fresh=verb != "wake")
        placed = [
            Placed(
                id=s.id,
                kind=s.kind,
                attempt=s.attempt,
                run_id=s.run_id,
                source_id=s.source_id,
            )
            for s in seen
            if s.run_id is not None
        ]
        runs = create_runs(placed, trigger=trigger, actor=actor, reason=reason, bulk=bulk)
        if runs:
            audit.record(
                verb,
                actor=actor,
                count=len(placed),
                reason=reason,
                entry_id=placed[0].id if len(placed) == 1 else None,
                run_id=runs[0].id if len(runs) == 1 else None,
                before={"status": sorted({s.status.value for s in seen if s.run_id})},
                after={"status": EntryStatus.QUEUED.value, "runs": len(runs)},
            )
        handing = Handing(runs)
    return QueueOutcome(tuple(_items(ids, seen, runs, verb)), handing.done)


def _items(
    ids: Sequence[int], seen: Sequence[transitions.Seen], runs: Sequence[Run], verb: str
) -> Iterable[ItemOutcome]:
    found = {s.id: s for s in seen}
    jobs: dict[UUID, str] = {run.id: run.job_id for run in runs}
    for id_ in ids:
        s = found.get(id_)
        if s is None:
            yield ItemOutcome(id_, None, 0, reason=Reason.NOT_FOUND)
        elif s.run_id is not None:
            yield ItemOutcome(
                id_, EntryStatus.QUEUED, s.attempt, run_id=s.run_id, job_id=jobs[s.run_id]
            )
        else:
            yield ItemOutcome(id_, s.status, s.attempt, reason=reason_for(s.status, verb=verb))


def request_sync(slug: str, *, actor: Actor, reason: str = "") -> str:
    """Have a worker sync a source; returns the RQ job id.

    Raises ``NotPermitted``, ``SourceNotFound``, and ``QueueUnavailable`` where Redis is down: a
    sync is nobody's loss, so it is refused instead of being remembered.
    """
    _require(actor, SYNC)
    source = Source.objects.filter(slug=slug).first()
    if source is None:
        raise SourceNotFound(slug)
    queue.ping()  # refused before anything is written down
    queue.ping()  # what is refused was not done, and is not audited
    job_id = sync_job_id(slug, token=uuid4())
    handover = queue.Handover(
        job_id=job_id,
        queue="default",
        argument=slug,
        timeout=settings.REDRIVE_SYNC_TIMEOUT,
        function=queue.SYNC_SOURCE,
    )
    with transaction.atomic():
        audit.record(
            "request_sync",
            actor=actor,
            count=1,
            reason=reason,
            source_id=source.pk,
            after={"job_id": job_id},
        )
        transaction.on_commit(lambda: queue.hand_over(handover))
    return job_id


def sync_source(
    source: Source,
    *,
    actor: Actor,
    submit: bool = True,
    on_batch: Callable[[SyncProgress], None] | None = None,
) -> SyncOutcome:
    """Read a source now, store what it has, and queue what is new, batch by batch.

    Raises ``NotPermitted`` and ``entries.errors.SourceError``; after the latter the source says
    what was wrong and nothing else has changed.
    """
    _require(actor, SYNC)
    queued = 0
    dispatched = True

    def after_batch(progress: SyncProgress) -> None:
        nonlocal queued, dispatched
        if submit and progress.created_ids:
            outcome = submit_entries(progress.created_ids, actor=actor)
            queued += outcome.queued
            dispatched = dispatched and outcome.dispatched
        if on_batch is not None:
            on_batch(progress)

    report = sync(source, on_batch=after_batch)
    if submit:
        left = _submit_left_over(source, actor=actor)
        queued += left.queued
        dispatched = dispatched and left.dispatched
    audit.record(
        "sync",
        actor=actor,
        count=report.created + report.updated,
        source_id=source.pk,
        after={
            "created": report.created,
            "updated": report.updated,
            "unchanged": report.unchanged,
            "not_modified": report.not_modified,
        },
    )
    return SyncOutcome(report, queued, dispatched)


def _submit_left_over(source: Source, *, actor: Actor) -> QueueOutcome:
    """Queue what an earlier sync stored and did not live to submit."""
    new = Entry.objects.filter(source=source, status=EntryStatus.PENDING, attempt=0)
    ids = list(new.order_by("id").values_list("id", flat=True)[:BATCH])
    return submit_entries(ids, actor=actor)


def _require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise NotPermitted(permission)
