"""Settling what a dead work-horse has left, from its worker."""

import logging
import os
import signal
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from entries import transitions
from entries.errors import SourceError
from entries.text import describe_error
from retry.models import Run, RunState
from retry.outcomes import Actor
from retry.runs.rescue import take_entries
from retry.sentences import WORKER_ENDED, WORKER_KILLED, WORKER_STOPPED
from retry.worker.activity import Activity, Snapshot
from retry.worker.claim import Claim
from retry.worker.patience import DATABASE_AWAY, NONE, PAUSE_SECONDS
from retry.worker.processing import build_timeout_outcome
from retry.worker.resync import Reading, refresh

logger = logging.getLogger(__name__)

WORKER = Actor.system("worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """What a worker knows of a work-horse that died.

    ``begun``: see ``Snapshot``. ``overdue``: what it was doing when it was killed because its time
    was up, None for any other death.
    """

    begun: Collection[int]
    cause: str
    overdue: Snapshot | None = None


def settle_death(
    activity: Activity,
    *,
    overdue: Snapshot | None,
    status: int | None,
    hurry: Callable[[], bool],
) -> int:
    """Settle at once what a work-horse left unfinished; returns the number of entries taken.

    ``status`` is that of ``os.waitpid``. Waits for PostgreSQL as long as a lease lasts, and not at
    all once ``hurry`` returns True; what is not settled then is rescued when the leases expire.
    """
    seen = activity.look()
    if not seen.worker:
        return 0
    death = Death(begun=seen.begun, cause=_describe_cause(seen, status, overdue), overdue=overdue)
    until = time.monotonic() + settings.REDRIVE_LEASE_SECONDS
    while True:
        try:
            runs = Run.objects.filter(state=RunState.RUNNING, worker=seen.worker)
            settled = sum(settle(run, death) for run in runs)
        except DATABASE_AWAY as error:
            logger.warning("work_horse.not_settled", extra={"error": type(error).__name__})
            connection.close()
            if hurry() or time.monotonic() > until:
                return 0
            time.sleep(PAUSE_SECONDS)
        except Exception:
            # The leases lead to the same result, and the next job must not wait.
            logger.exception("work_horse.not_settled")
            return 0
        else:
            activity.clear()
            return settled


def settle(run: Run, death: Death, *, actor: Actor = WORKER) -> int:
    """Take a run away from a dead work-horse; returns the number of entries taken.

    An overdue entry fails by its time limit, as if the work-horse had interrupted it, where it was
    the only one under way: of several it is not known which one blocked the others. Other entries
    that had begun are retried alone, one run each. The rest goes on together, in the same attempts.
    """
    if death.overdue is not None:
        _end_overdue(run, death.overdue)
    with transaction.atomic():
        held = Run.objects.filter(id=run.id, state=RunState.RUNNING, worker=run.worker)
        if not held.select_for_update().exists():
            return 0
        not_begun = [id_ for id_ in run.entry_ids if id_ not in death.begun]
        transitions.release(not_begun, run_id=run.id)
        return take_entries(run, cause=death.cause, began=True, actor=actor)


def _end_overdue(run: Run, overdue: Snapshot) -> None:
    # ``settle_death`` does the waiting for PostgreSQL.
    claim = Claim(run, worker=run.worker, patience=NONE)
    under_way = [id_ for id_, _ in overdue.under_way]
    if overdue.reading and run.resync:
        # Nothing was claimed, and reading would take as long the next time for all of the run.
        entries = transitions.claim(run.entry_ids, run_id=run.id, worker=run.worker)
        error = describe_error(SourceError("timeout", "reading the source took too long"))
        refresh(entries, Reading({}, error), run=run, worker=run.worker)
    elif len(under_way) == 1 and (
        entries := transitions.claim(under_way, run_id=run.id, worker=run.worker)
    ):
        claim.record([build_timeout_outcome(entry, run=run) for entry in entries])


def _describe_cause(seen: Snapshot, status: int | None, overdue: Snapshot | None) -> str:
    if overdue is not None and len(overdue.under_way) > 1:
        return WORKER_STOPPED(worker=seen.worker, count=len(overdue.under_way))
    if status is not None and os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with suppress(ValueError):  # a real-time signal has no name
            return WORKER_KILLED(worker=seen.worker, signal=signal.Signals(number).name)
    return WORKER_ENDED(worker=seen.worker)
