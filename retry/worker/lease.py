"""A worker's watch over its work-horse, from outside."""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from retry.runs.lifecycle import renew_lease
from retry.worker.activity import Activity, Snapshot

logger = logging.getLogger(__name__)

#: A work-horse interrupts itself at the deadline. What is not over by then cannot be interrupted.
OVERDUE_SECONDS = 5.0
#: How long a work-horse may continue with the current entry after its run was taken away.
LOST_SECONDS = 5.0
LOOK_SECONDS = 0.5


class Watch:
    """Watches one work-horse from a thread of its worker, which no kind can block.

    Renews the lease of the current run, and kills the work-horse with its process group when it is
    overdue or has lost its run.
    """

    def __init__(self, activity: Activity, *, pid: int) -> None:
        self._activity = activity
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._lost_since: tuple[UUID, float] | None = None
        #: What the work-horse was doing when it was killed because it was overdue.
        self.overdue: Snapshot | None = None

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Stop watching, because the work-horse is dead."""
        self._stop.set()
        # No longer than this: the thread may be waiting for PostgreSQL.
        self._thread.join(LOOK_SECONDS)

    def _watch(self) -> None:
        third = settings.REDRIVE_LEASE_SECONDS / 3
        renewed, before = 0.0, None
        try:
            while not self._stop.wait(min(LOOK_SECONDS, third)):
                seen = self._activity.look()
                # The same twice: a snapshot taken during a write must not kill anything.
                if _is_overdue(seen) and seen == before:
                    self.overdue = seen
                    logger.warning("work_horse.overdue", extra={"entry_id": seen.entry_id})
                    self._kill()
                    return
                before = seen
                if seen.run_id is not None and time.monotonic() - renewed >= third:
                    renewed = time.monotonic()
                    self._renew(seen, seen.run_id)
        finally:
            connection.close()

    def _renew(self, seen: Snapshot, run_id: UUID) -> None:
        try:
            held = renew_lease(run_id, worker=seen.worker) is not None
        except (DatabaseError, InterfaceError) as error:
            # The next look tries again; without a database the lease expires.
            logger.warning("lease.not_renewed", extra={"error": type(error).__name__})
            connection.close()
            return
        if held or self._activity.look().run_id != run_id:
            return
        self._activity.lose(run_id)
        if self._lost_since is None or self._lost_since[0] != run_id:
            self._lost_since = (run_id, time.monotonic())
        elif time.monotonic() - self._lost_since[1] > LOST_SECONDS:
            logger.warning("work_horse.lost_its_run", extra={"run_id": str(run_id)})
            self._kill()

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)


def _is_overdue(seen: Snapshot) -> bool:
    return bool(seen.deadline) and time.monotonic() > seen.deadline + OVERDUE_SECONDS
