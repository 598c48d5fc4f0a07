"""Having sources synced: by a worker when somebody asks or an interval is over, or here and now."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from entries.errors import SourceError
from entries.models import Source
from entries.sources.sync.full import OnBatch
from entries.sources.sync.lock import attempted
from retry import audit
from retry.access.permissions import SYNC_SOURCE
from retry.errors import SourceDisabled, SourceNotFound
from retry.models import Hold, Sync, SyncState
from retry.outcomes import Actor, SyncOutcome
from retry.syncs import rows, work

#: In one tick of the dispatcher.
_MOST = 500


def request_sync(slug: str, *, actor: Actor, reason: str = "", dry_run: bool = False) -> Sync:
    """Have a worker sync a source. Where Redis is down it is accepted all the same, and starts
    when it is back.

    While one is queued or running already, that one is returned and no second is made. A dry run
    stands in for another dry run only. Raises ``NotPermitted``, ``SourceNotFound`` and
    ``SourceDisabled``.
    """
    actor.require(SYNC_SOURCE)
    with transaction.atomic():
        # Whoever asks for the same source waits here, and then finds what was made meanwhile.
        source = Source.objects.select_for_update(no_key=True).filter(slug=slug).first()
        if source is None:
            raise SourceNotFound(slug)
        if not source.enabled:
            raise SourceDisabled(slug)
        under_way = source.syncs.filter(state__in=rows.OPEN, dry_run=dry_run).order_by("pk").last()
        if under_way is not None:
            return under_way
        sync = rows.create(source, actor=actor, reason=reason[:500], dry_run=dry_run)
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

    Raises ``NotPermitted`` and ``entries.errors.SourceError``; after the latter the source says
    what was wrong. It stands in the history, unless another sync of it was under way.
    """
    actor.require(SYNC_SOURCE)
    with attempted(source.pk) as alone:
        if not alone:
            raise SourceError("sync_running", "the source is being synced already")
        sync = rows.begin(source, actor=actor, dry_run=dry_run)
        return work.run(sync, actor=actor, submit=submit, on_batch=on_batch)


def request_due_syncs(*, actor: Actor) -> int:
    """Ask for a sync of each source whose interval is over; returns for how many.

    The next time is set in the transaction of the request, so that no interval is asked for twice.
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
    """End those that nobody is at work on any more; returns how many.

    Who runs one holds its source's lock from before it says so until after it says how it ended.
    """
    actor.require(SYNC_SOURCE)
    lost = 0
    for sync in Sync.objects.filter(state=SyncState.RUNNING).order_by("pk")[:_MOST]:
        with attempted(sync.source_id) as nobody, transaction.atomic():
            if nobody and rows.fail(sync, code="worker_lost", message=_LOST):
                audit.record(
                    "sync_lost",
                    actor=actor,
                    count=1,
                    source_id=sync.source_id,
                    after={"sync_id": sync.pk},
                )
                lost += 1
    return lost


_LOST = (
    "The worker died or lost its database in the middle. What it had stored is kept; sync again "
    "for the rest."
)


def _due() -> QuerySet[Source]:
    held = Hold.objects.filter(
        Q(source=OuterRef("pk")) | Q(kind=OuterRef("entry_kind"), upstream=""), lifted_at=None
    )
    over = Q(next_sync_at=None) | Q(next_sync_at__lte=Now())
    return Source.objects.filter(over, ~Exists(held), enabled=True, sync_interval__isnull=False)
