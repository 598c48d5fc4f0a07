"""Keeping a run's lease alive while its worker works."""

import logging
import threading
from types import TracebackType
from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection

from retry.runs import renew_lease

logger = logging.getLogger(__name__)


class Lease:
    """Renews a run's lease every third of its length from a thread of its own.

    A worker that is dead, stopped or cut off does not renew; its run is then rescued. ``lost``
    says that this has happened, and the worker should start nothing more of the run. The outcomes
    are fenced in any case: this saves work, it guards nothing.
    """

    def __init__(self, run_id: UUID, *, worker: str) -> None:
        self._run_id = run_id
        self._worker = worker
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self.lost = False

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _renew(self) -> None:
        try:
            while not self._stop.wait(settings.REDRIVE_LEASE_SECONDS / 3):
                try:
                    if renew_lease(self._run_id, worker=self._worker) is None:
                        self.lost = True
                        return
                except DatabaseError:
                    # Tried again at the next turn; if the database stays away, the lease lapses.
                    logger.warning("lease.not_renewed", extra={"run_id": str(self._run_id)})
                    connection.close()
        finally:
            connection.close()
