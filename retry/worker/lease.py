"""A worker's eye on its work-horse, from outside, and what is left to do when that has died."""

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
from retry.worker.activity import Activity, Seen

logger = logging.getLogger(__name__)

#: A work-horse interrupts itself at the limit. What is not over by now cannot be interrupted.
OVERDUE_SECONDS = 5.0
#: For so long it may go on with the entry at hand after its run was taken away.
LOST_SECONDS = 5.0
LOOK_SECONDS = 0.5


class Watch:
    """Looks after one work-horse, from a thread that no kind can stop: renews the lease of the run
    that it is at, and kills it, with its process group, where it is overdue or has lost its run.
    """

    def __init__(self, activity: Activity, *, pid: int) -> None:
        self._activity = activity
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_after, name="watch", daemon=True)
        self._lost_since: tuple[UUID, float] | None = None
        #: What it was at when it was killed because its time was up.
        self.late: Seen | None = None

    def begin(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """The work-horse is dead. PostgreSQL may keep the thread for a while yet."""
        self._stop.set()
        self._thread.join(LOOK_SECONDS)

    def _look_after(self) -> None:
        third = settings.REDRIVE_LEASE_SECONDS / 3
        renewed, before = 0.0, None
        try:
            while not self._stop.wait(min(LOOK_SECONDS, third)):
                seen = self._activity.look()
                # Twice the same: what was read while it was being written ends nobody.
                if _is_overdue(seen) and seen == before:
                    self.late = seen
                    logger.warning("work_horse.overdue", extra={"entry_id": seen.entry_id})
                    self._kill()
                    return
                before = seen
                if seen.run_id is not None and time.monotonic() - renewed >= third:
                    renewed = time.monotonic()
                    self._renew(seen, seen.run_id)
        finally:
            connection.close()

    def _renew(self, seen: Seen, run_id: UUID) -> None:
        try:
            held = renew_lease(run_id, worker=seen.worker) is not None
        except (DatabaseError, InterfaceError) as error:
            # Tried again at the next turn; if the database stays away, the lease lapses.
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


def _is_overdue(seen: Seen) -> bool:
    return bool(seen.until) and time.monotonic() > seen.until + OVERDUE_SECONDS
