"""Taking what a new hold stops out of Redis, where clicks would wait behind it."""

import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import groupby
from operator import attrgetter

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from entries.models import Entry
from retry import queue
from retry.errors import QueueUnavailable
from retry.models import Hold, Run, RunState
from retry.runs.job_ids import dispatch_job_id
from retry.runs.routing import choose_queue

#: Runs in one transaction, and how long one step may go on.
BATCH = 500
_SECONDS = 0.5
#: Entries that wait are moved to another upstream by an edit or a push, which is rare.
_MIXED_SECONDS = 5.0

_MIX = """
UPDATE retry_run r SET upstream = ''
WHERE r.state = 'queued' AND r.upstream <> '' AND NOT r.probe AND EXISTS (
    SELECT FROM entries_entry e
    WHERE e.id = ANY(r.entry_ids) AND e.run_id = r.id AND e.status = 'queued'
      AND e.upstream <> r.upstream)
"""


class Sweep:
    """Sets aside the queued runs of each hold, once.

    What is asked for later has no job from the start, and what slips between the two is refused
    where it is claimed; so a dispatcher that forgets what it has swept does no harm.
    """

    def __init__(self) -> None:
        self._done: set[int] = set()
        self._mixed_at = -_MIXED_SECONDS

    def step(self) -> int:
        """Set some runs aside; returns how many. What is left is for the next step."""
        if time.monotonic() - self._mixed_at > _MIXED_SECONDS:
            self._mixed_at = time.monotonic()
            mix_moved()
        standing = {hold.pk: hold for hold in Hold.objects.filter(lifted_at=None).order_by("pk")}
        self._done &= standing.keys()
        found, deadline = 0, time.monotonic() + _SECONDS
        for hold in (hold for pk, hold in standing.items() if pk not in self._done):
            while time.monotonic() < deadline and hold.pk not in self._done:
                aside = _set_aside(hold)
                found += aside
                if aside < BATCH:
                    self._done.add(hold.pk)
        return found


def mix_moved() -> int:
    """Let runs go whose entries depend on something else by now than what they wait for; a worker
    parts them once more. Returns how many.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MIX)
        return int(cursor.rowcount)


def _set_aside(hold: Hold) -> int:
    """A run of a single entry is known by now to depend on what the entry does. Of larger ones
    workers leave queued what is held.
    """
    with transaction.atomic():
        held = (
            _queued(hold).order_by("kind", "pk").select_for_update(skip_locked=True, of=("self",))
        )
        runs = list(held.defer("entry_ids", "skipped")[:BATCH])
        for kind, group in groupby(runs, key=attrgetter("kind")):
            Run.objects.filter(pk__in=[run.pk for run in group]).update(
                dispatched_at=None,
                queue=choose_queue(kind, bulk=True),
                **({"upstream": hold.upstream} if hold.upstream else {}),
            )
    _take_back(runs)
    return len(runs)


def _queued(hold: Hold) -> QuerySet[Run]:
    """Runs with a job that the hold stops."""
    queued = Run.objects.filter(state=RunState.QUEUED, dispatched_at__isnull=False, probe=False)
    if hold.source_id is not None:
        return queued.filter(source=hold.source_id)
    if not hold.upstream:
        return queued.filter(kind=hold.kind)
    single = Entry.objects.filter(pk=OuterRef("entry_ids__0"), upstream=hold.upstream)
    concerned = Q(upstream=hold.upstream) | Q(Exists(single), upstream="", size=1)
    return queued.filter(concerned, kind=hold.kind)


def _take_back(runs: Iterable[Run]) -> None:
    """A job that stays behind finds its run held, or is too late."""
    with suppress(QueueUnavailable):
        for run in runs:
            job_id = dispatch_job_id(run.job_id, dispatches=run.dispatches - 1)
            queue.take_back(run.queue, job_id=job_id)
