"""Syncs: requested for a worker, by a person or an interval, or done here and now."""

from datetime import timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from entries.models import Source
from entries.sources.sync.report import OnBatch
from retry import audit
from retry.access.permissions import SYNC_SOURCE
from retry.access.visibility import visible_sources
from retry.errors import SourceDisabled, SourceNotFound
from retry.intakes import rows
from retry.intakes.claims import begin, settle_lost
from retry.intakes.handover import enqueue
from retry.models import Hold, Sync, SyncState
from retry.outcomes import Actor, SyncOutcome
from retry.runs.job_ids import sync_job_id
from retry.syncs import work

#: In one tick of the dispatcher.
_MOST = 500
_LOST = (
    "The worker died or lost the database half-way. What was stored is kept; sync again "
    "for the rest."
)


def request_sync(slug: str, *, actor: Actor, reason: str = "", dry_run: bool = False) -> Sync:
    """Have a worker sync a source; return the sync.

    Where one is queued or running already, that one is returned and no second is made; a dry run
    counts for other dry runs only. Where Redis is down the request is accepted and starts later.
    Raises ``NotPermitted``, ``SourceNotFound`` and ``SourceDisabled``.
    """
    actor.require(SYNC_SOURCE)
    with transaction.atomic():
        # Another request for the same source waits here, and then finds the sync of this one.
        locked = visible_sources(actor).select_for_update(no_key=True)
        source = locked.filter(slug=slug).first()
        if source is None:
            raise SourceNotFound(slug)
        if not source.enabled:
            raise SourceDisabled(slug)
        under_way = source.syncs.filter(state__in=rows.OPEN, dry_run=dry_run).order_by("pk").last()
        if under_way is not None:
            return under_way
        sync = enqueue(
            Sync(
                source=source,
                reason=reason[:500],
                dry_run=dry_run,
                job_id=sync_job_id(source.slug, token=uuid4()),
            ),
            actor=actor,
        )
        audit.record(
            "request_sync",
            actor=actor,
            count=1,
            reason=reason,
            source_id=source.pk,
            after={"sync_id": sync.pk, "dry_run": dry_run},
        )
    return sync


def sync_source(
    source: Source,
    *,
    actor: Actor,
    submit: bool = True,
    dry_run: bool = False,
    on_batch: OnBatch | None = None,
) -> SyncOutcome:
    """Read a source now, store what it has, and queue what is new, batch by batch.

    Raises ``NotPermitted`` and ``entries.errors.SourceError``; the latter is also shown on the
    source. The sync is in the history, unless another one of the source was running.
    """
    actor.require(SYNC_SOURCE)
    with begin(Sync(source=source, dry_run=dry_run), actor=actor) as sync:
        return work.run(sync, actor=actor, submit=submit, on_batch=on_batch)


def request_due_syncs(*, actor: Actor) -> int:
    """Request a sync of each source whose interval is over; return for how many.

    The next time is set in the transaction of the request, so no interval leads to two.
    """
    actor.require(SYNC_SOURCE)
    asked = 0
    for pk in _due().order_by("next_sync_at", "pk").values_list("pk", flat=True)[:_MOST]:
        with transaction.atomic():
            locked = _due().select_for_update(no_key=True, skip_locked=True, of=("self",))
            source = locked.filter(pk=pk).first()
            if source is None or source.sync_interval is None:
                continue
            every = timedelta(seconds=source.sync_interval)
            Source.objects.filter(pk=pk).update(next_sync_at=Now() + every)
            request_sync(source.slug, actor=actor, reason=f"every {source.sync_interval:,} s")
            asked += 1
    return asked


def fail_lost_syncs(*, actor: Actor) -> int:
    """Fail running syncs whose worker is gone; return how many."""
    actor.require(SYNC_SOURCE)

    def settle(sync: Sync) -> bool:
        if not rows.fail(sync, code="worker_lost", message=_LOST):
            return False
        audit.record(
            "sync_lost",
            actor=actor,
            count=1,
            source_id=sync.source_id,
            after={"sync_id": sync.pk},
        )
        return True

    running = Sync.objects.filter(state=SyncState.RUNNING).order_by("pk")
    return settle_lost(running[:_MOST], settle)


def _due() -> QuerySet[Source]:
    held = Hold.objects.filter(
        Q(source=OuterRef("pk")) | Q(kind=OuterRef("entry_kind"), upstream=""), lifted_at=None
    )
    over = Q(next_sync_at=None) | Q(next_sync_at__lte=Now())
    return Source.objects.filter(over, ~Exists(held), enabled=True, sync_interval__isnull=False)
