"""Settling what a dead work-horse has left, from its worker."""

import logging
import os
import signal
import time
from collections.abc import Callable
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
from retry.worker.activity import Activity, Seen
from retry.worker.patience import AWAY, PAUSE_SECONDS
from retry.worker.processing import build_timeout_outcome
from retry.worker.recording import record
from retry.worker.resync import Found, rescan

logger = logging.getLogger(__name__)

WORKER = Actor.system("worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """What a worker knows of a work-horse that died: how far it had begun what it had claimed, and
    what it was at where it had to be killed because its time was up.
    """

    begun_to: int
    cause: str
    late: Seen | None = None


def settle(run: Run, death: Death, *, actor: Actor = WORKER) -> int:
    """Take a dead work-horse's run away from it, at once; returns how many entries were taken.

    What had begun is retried alone, what was claimed and had not begun goes on with the rest. What
    was out of time has failed by that, as if it had been interrupted from within.
    """
    if death.late is not None:
        _end_late(run, death.late)
    with transaction.atomic():
        held = Run.objects.filter(id=run.id, state=RunState.RUNNING, worker=run.worker)
        if not held.select_for_update().exists():
            return 0
        waiting = [id_ for id_ in run.entry_ids if id_ > death.begun_to]
        transitions.release(waiting, run_id=run.id)
        return take_entries(run, cause=death.cause, began=True, actor=actor)


def _end_late(run: Run, late: Seen) -> None:
    if late.entry_id:
        held = transitions.claim([late.entry_id], run_id=run.id, worker=run.worker)
        if endings := [build_timeout_outcome(entry, run=run) for entry in held]:
            # Who settles has a patience of its own.
            record(run, endings, worker=run.worker, give_up=lambda: True)
    else:
        # It was reading its source, which would take as long the next time.
        error = describe_error(SourceError("timeout", "reading the source took too long"))
        claimed = transitions.claim(run.entry_ids, run_id=run.id, worker=run.worker)
        rescan(claimed, Found({}, error), run=run)


def settle_death(
    activity: Activity, *, late: Seen | None, status: int | None, hurry: Callable[[], bool]
) -> int:
    """Put right at once what a work-horse has left that did not come to its end; returns how many
    entries that were. Waits for PostgreSQL as long as a lease lasts, unless in a ``hurry``; what is
    not settled then is left to the leases.
    """
    seen = activity.look()
    if not seen.worker:
        return 0
    death = Death(begun_to=seen.begun_to, cause=_cause(seen, status), late=late)
    until = time.monotonic() + settings.REDRIVE_LEASE_SECONDS
    while True:
        try:
            runs = Run.objects.filter(state=RunState.RUNNING, worker=seen.worker)
            settled = sum(settle(run, death) for run in runs)
        except AWAY as error:
            logger.warning("work_horse.not_settled", extra={"error": type(error).__name__})
            connection.close()
            if hurry() or time.monotonic() > until:
                return 0
            time.sleep(PAUSE_SECONDS)
        except Exception:
            # Whatever it is, the leases come to the same end, and the next job must not wait.
            logger.exception("work_horse.not_settled")
            return 0
        else:
            activity.clear()
            return settled


def _cause(seen: Seen, status: int | None) -> str:
    if status is not None and os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        with suppress(ValueError):  # a real-time signal has no name
            return f"worker {seen.worker} was killed by {signal.Signals(number).name}"
    return f"worker {seen.worker} ended in the middle"
