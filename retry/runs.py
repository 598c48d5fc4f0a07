"""Making runs and handing them over: what every verb that queues entries ends with."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from entries.kinds import registry
from entries.transitions import Seen
from retry import queue
from retry.errors import QueueUnavailable
from retry.held import RUN_IS_HELD, Held
from retry.job_ids import dispatch_job_id, run_job_id
from retry.models import Run, RunState, Trigger
from retry.outcomes import Actor
from retry.routing import queue_of, timeout_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry that a transition has just put into a run."""

    id: int
    kind: str
    attempt: int
    run_id: UUID
    source_id: int | None
    #: That all of the run depends on, where that is on hold.
    upstream: str = ""


def placed(seen: Iterable[Seen]) -> list[Placed]:
    """Those that a ``queue`` statement has moved."""
    return [
        Placed(s.id, s.kind, s.attempt, s.run_id, s.source_id, s.upstream) for s in seen if s.run_id
    ]


def moved_on(
    run: Run, attempts: Mapping[int, int], *, run_id: UUID, upstream: str = ""
) -> list[Placed]:
    """Entries of ``run``, as entry id -> attempt, that ``reassign`` has handed to another; all of
    one ``upstream`` where it is given.
    """
    return [
        Placed(id_, run.kind, attempt, run_id, run.source_id, upstream or run.upstream)
        for id_, attempt in attempts.items()
    ]


def run_sizes(*, cap: int | None = None) -> dict[str, int]:
    """Kind -> how many of its entries make a run."""
    return {
        name: min(kind.run_size, cap) if cap else kind.run_size
        for name, kind in registry.all_kinds().items()
    }


def rescue_limits() -> dict[str, int]:
    return {name: kind.rescue_limit for name, kind in registry.all_kinds().items()}


def create_runs(
    placed: Iterable[Placed],
    *,
    trigger: Trigger,
    actor: Actor,
    reason: str,
    bulk: bool,
    parent: Run | None = None,
    held: bool = False,
    resync: bool = False,
    only_if_changed: bool = False,
    probe: bool = False,
    on_hold: Held | None = None,
) -> list[Run]:
    """Insert a run for each run id, in the caller's transaction; ``Handing`` hands them over.

    The order of ids is kept. ``bulk`` sends them where no click has to wait behind them. With a
    ``parent`` they go on in its place, in its way, as old as it is, and count for its operation.
    ``held`` ones wait for the dispatcher, as do those that ``on_hold`` stops, and go on where no
    click waits behind them. A ``probe`` may begin although the breaker holds what it depends on.
    """
    now = timezone.now()
    ordered = sorted(placed, key=lambda item: (item.run_id, item.id))
    runs = []
    for run_id, group in groupby(ordered, key=lambda item: item.run_id):
        members = list(group)
        first = members[0]
        stopped = (
            on_hold is not None
            and not probe
            and on_hold.stops(kind=first.kind, source_id=first.source_id, upstream=first.upstream)
        )
        waits = held or stopped
        queue_name = queue_of(first.kind, bulk=not probe and (bulk or waits))
        if parent is not None and not (bulk or waits or probe):
            queue_name = parent.queue
        runs.append(
            Run(
                id=run_id,
                trigger=trigger,
                actor_id=actor.user_id,
                actor_label=actor.label,
                reason=reason[:500],
                kind=first.kind,
                source_id=first.source_id,
                upstream=first.upstream,
                resync=parent.resync if parent else resync,
                only_if_changed=parent.only_if_changed if parent else only_if_changed,
                probe=probe,
                queue=queue_name,
                entry_ids=[member.id for member in members],
                size=len(members),
                job_id=run_job_id(run_id, entries=[(m.id, m.attempt) for m in members]),
                dispatches=0 if waits else 1,
                dispatched_at=None if waits else now,
                operation_id=parent.operation_id if parent else None,
                position=parent.position if parent else 0,
                canary=parent.canary if parent else False,
                **({"created_at": parent.created_at} if parent else {}),
            )
        )
    runs.sort(key=lambda run: run.entry_ids[0])
    Run.objects.bulk_create(runs)
    return runs


class Handing:
    """Hands new runs over once the transaction around it has committed; ``done`` says how it went.

    A run is inserted as if that went well, which it nearly always does: one write less where
    somebody waits. Where Redis could not be reached the run is marked for the dispatcher, and
    where this process dies in between, the dispatcher finds it in no list of Redis.
    """

    def __init__(self, runs: Sequence[Run]) -> None:
        self.done = not runs
        if runs:
            transaction.on_commit(lambda: self._hand_over(runs), robust=True)

    def _hand_over(self, runs: Sequence[Run]) -> None:
        sent = [run.id for run in _sent(runs, dispatches=0)]
        self.done = len(sent) == len(runs)
        if not self.done:
            left = [run.id for run in runs if run.id not in sent]
            Run.objects.filter(id__in=left, state=RunState.QUEUED, dispatches=1).update(
                dispatches=0, dispatched_at=None
            )


def hand_over(runs: Sequence[Run]) -> int:
    """Hand runs over that Redis does not have; returns how many reached it. Never raises for Redis.

    Must be called outside a transaction: a job may start before this returns.
    """
    sent = [run.id for run in _sent(runs)]
    if sent:
        Run.objects.filter(id__in=sent).update(dispatches=F("dispatches") + 1, dispatched_at=Now())
    return len(sent)


def _sent(runs: Sequence[Run], *, dispatches: int | None = None) -> Iterator[Run]:
    """Enqueue runs in order, up to the first that Redis does not take."""
    for run in runs:
        before = run.dispatches if dispatches is None else dispatches
        handover = queue.Handover(
            job_id=dispatch_job_id(run.job_id, dispatches=before),
            queue=run.queue,
            argument=str(run.id),
            timeout=timeout_of(run),
        )
        try:
            queue.hand_over(handover)
        except QueueUnavailable as error:
            logger.warning("handover.failed", extra={"run_id": str(run.id), "error": str(error)})
            return
        yield run


_CLAIM_RUN = f"""
UPDATE retry_run
SET state = 'running', started_at = coalesce(started_at, clock_timestamp()), worker = %(worker)s,
    lease_expires_at = clock_timestamp() + make_interval(secs => %(lease)s)
WHERE id = %(id)s AND (state = 'running' AND worker = %(worker)s
    OR state = 'queued' AND NOT EXISTS (SELECT FROM retry_operation o
    WHERE o.id = retry_run.operation_id AND o.state IN ('paused', 'cancelled'))
AND NOT {RUN_IS_HELD})
RETURNING id
"""  # noqa: S608 - a condition of our own


def claim_run(run_id: UUID, *, worker: str) -> Run | None:
    """``queued -> running`` with a lease by the database's clock; None where it is not to be had.

    The same job delivered twice finds the run taken: one of them works, the other ends. ``worker``
    may ask again, for an answer can be lost. Of a run that is held the job has been used up.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM_RUN,
            {"id": run_id, "worker": worker[:200], "lease": settings.REDRIVE_LEASE_SECONDS},
        )
        if cursor.fetchone() is None:
            return None
    return Run.objects.get(id=run_id)


def renew_lease(run_id: UUID, *, worker: str) -> datetime | None:
    """The new end of the lease, or None where the run has been taken away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE retry_run SET lease_expires_at = clock_timestamp() + make_interval(secs => %s)"
            " WHERE id = %s AND state = 'running' AND worker = %s RETURNING lease_expires_at",
            [settings.REDRIVE_LEASE_SECONDS, run_id, worker[:200]],
        )
        row = cursor.fetchone()
    return row[0] if row else None


_END_RUN = """
UPDATE retry_run r
SET state = 'finished', ended_at = clock_timestamp(), lease_expires_at = NULL,
    succeeded = t.succeeded, failed = t.failed, scheduled = t.scheduled, lost = t.lost,
    cancelled = t.cancelled, unchanged = t.unchanged, transient = t.transient,
    handed_on = r.size - r.skipped_count
                - t.succeeded - t.failed - t.scheduled - t.cancelled - t.unchanged
FROM (
    SELECT count(*) FILTER (WHERE a.status = 'succeeded') AS succeeded,
           count(*) FILTER (WHERE a.status = 'failed' AND e.status <> 'scheduled') AS failed,
           count(*) FILTER (WHERE a.status = 'failed' AND e.status = 'scheduled') AS scheduled,
           count(*) FILTER (WHERE a.status = 'cancelled') AS cancelled,
           count(*) FILTER (WHERE a.status = 'unchanged') AS unchanged,
           count(*) FILTER (WHERE a.transient) AS transient,
           count(*) FILTER (WHERE a.status = 'lost') AS lost
    FROM entries_attempt a JOIN entries_entry e ON e.id = a.entry_id
    WHERE a.entry_id = ANY(%(ids)s) AND a.run_id = %(id)s
) t
WHERE r.id = %(id)s AND r.state = 'running' AND r.worker = %(worker)s
  AND NOT EXISTS (
    SELECT FROM entries_entry e
    WHERE e.id = ANY(%(ids)s) AND e.run_id = %(id)s AND e.status IN ('queued', 'running'))
RETURNING r.id
"""


def end_run(run: Run, *, worker: str) -> bool:
    """``running -> finished`` with tallies counted from its attempts; what is left over is what
    another run answers for.

    False where ``worker`` no longer holds the run, and where entries of it are still at work:
    such a run is left to its lease, and so to the rescue.
    """
    with connection.cursor() as cursor:
        cursor.execute(_END_RUN, {"id": run.id, "ids": run.entry_ids, "worker": worker[:200]})
        return cursor.fetchone() is not None


def lock_lapsed(run_id: UUID) -> bool:
    """Lock a lapsed run until the caller's transaction ends; False where it has not lapsed."""
    found = Run.objects.filter(id=run_id, state=RunState.RUNNING, lease_expires_at__lt=Now())
    return found.select_for_update().exists()


_TALLY = """
UPDATE retry_run
SET succeeded = succeeded + %(succeeded)s, failed = failed + %(failed)s,
    scheduled = scheduled + %(scheduled)s, unchanged = unchanged + %(unchanged)s,
    transient = transient + %(transient)s
WHERE id = %(id)s AND state = 'running' AND worker = %(worker)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Outcomes by what they were; ``transient`` of the failed and scheduled ones."""

    succeeded: int = 0
    failed: int = 0
    scheduled: int = 0
    unchanged: int = 0
    transient: int = 0


def tally(run: Run, counted: Counted, *, worker: str) -> None:
    """Count outcomes while the run goes on, for those who watch; ``end_run`` counts for good."""
    with connection.cursor() as cursor:
        cursor.execute(_TALLY, {"id": run.id, "worker": worker[:200], **asdict(counted)})
