"""A worker's watch over its work-horse, from outside."""

import logging
import os
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from retry.runs.lifecycle import renew_leases
from retry.worker.activity import Activity, Snapshot

logger = logging.getLogger(__name__)

#: A work-horse interrupts itself at the deadline. What is not over by then cannot be interrupted.
OVERDUE_SECONDS = 5.0
#: How long a work-horse may continue with the current entry after its run was taken away.
LOST_SECONDS = 5.0
LOOK_SECONDS = 0.5


class Watch:
    """Watches one work-horse from a thread of its worker, which no kind can block.

    Renews the leases of its runs, and kills the work-horse with its process group when it is
    overdue or still has a run that was taken away.
    """

    def __init__(self, activity: Activity, *, pid: int) -> None:
        self._activity = activity
        self._pid = pid
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._lost_since: dict[UUID, float] = {}
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
        renewed: dict[UUID, float] = {}
        before: frozenset[tuple[int, float]] = frozenset()
        try:
            while not self._stop.wait(min(LOOK_SECONDS, third)):
                seen = self._activity.look()
                # The same twice: a snapshot taken during a write must not kill anything.
                late = _find_overdue(seen)
                if late & before:
                    self.overdue = seen
                    ids = sorted(id_ for id_, _ in late)
                    logger.warning("work_horse.overdue", extra={"entry_ids": ids})
                    self._kill()
                    return
                before = late
                now = time.monotonic()
                due = [id_ for id_ in seen.run_ids if now - renewed.get(id_, 0.0) >= third]
                if due and self._renew(due, seen):
                    renewed |= dict.fromkeys(due, now)
        finally:
            connection.close()

    def _renew(self, run_ids: Sequence[UUID], seen: Snapshot) -> bool:
        """Renew leases; False without an answer. The next look tries again."""
        try:
            held = renew_leases(run_ids, worker=seen.worker)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("lease.not_renewed", extra={"error": type(error).__name__})
            connection.close()
            return False
        now, still = time.monotonic(), self._activity.look().run_ids
        for run_id in (set(run_ids) - held).intersection(still):
            self._activity.lose(run_id)
            self._lost_since.setdefault(run_id, now)
        # While it also has runs of its own, their entries are not stopped for one that was lost.
        if still and all(now - self._lost_since.get(id_, now) > LOST_SECONDS for id_ in still):
            logger.warning(
                "work_horse.lost_its_run", extra={"run_ids": [str(id_) for id_ in still]}
            )
            self._kill()
        return True

    def _kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)


def _find_overdue(seen: Snapshot) -> frozenset[tuple[int, float]]:
    """Return what is under way and overdue, with its deadline; entry 0 is the reading."""
    latest = time.monotonic() - OVERDUE_SECONDS
    late = {(id_, deadline) for id_, deadline in seen.under_way if deadline < latest}
    if seen.reading and seen.reading < latest:
        late.add((0, seen.reading))
    return frozenset(late)
