"""The sweep after a new hold: the runs that it stops leave Redis, where clicks would wait behind
them.
"""

import time
from uuid import UUID

from retry.models import Hold
from retry.runs.detachment import FIRST, clear_moved_upstreams, detach_held_runs

#: Runs in one transaction, and how long one step may take.
BATCH = 500
_SECONDS = 0.5
#: How often moved entries are looked for: only an edit or a push gives a waiting entry another
#: upstream, which is rare.
_MOVED_SECONDS = 5.0
#: How long one step looks for them; the next one continues.
_LOOK_SECONDS = 0.1


class Sweep:
    """Detach the queued runs of each hold from their jobs, once.

    Runs created later have no job from the start, and one that slips in between is refused where it
    is claimed. So a new dispatcher, which sweeps every hold again, does no harm.
    """

    def __init__(self) -> None:
        self._done: set[int] = set()
        self._moved_at = -_MOVED_SECONDS
        self._moved: UUID | None = None

    def step(self) -> int:
        """Detach some runs; return how many. The next step continues."""
        self._find_moved()
        active = {hold.pk: hold for hold in Hold.objects.filter(lifted_at=None).order_by("pk")}
        self._done &= active.keys()
        found, deadline = 0, time.monotonic() + _SECONDS
        for hold in (hold for pk, hold in active.items() if pk not in self._done):
            while time.monotonic() < deadline and hold.pk not in self._done:
                detached = detach_held_runs(hold, limit=BATCH)
                found += detached
                if detached < BATCH:
                    self._done.add(hold.pk)
        return found

    def _find_moved(self) -> None:
        """Look on for a moment; after the last run rest."""
        deadline = time.monotonic() + _LOOK_SECONDS
        if self._moved is None and time.monotonic() - self._moved_at > _MOVED_SECONDS:
            self._moved_at, self._moved = time.monotonic(), FIRST
        while self._moved is not None:
            _, self._moved = clear_moved_upstreams(self._moved)
            if time.monotonic() > deadline:
                break
