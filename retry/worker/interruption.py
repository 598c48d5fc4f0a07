"""Whether a run has to stop: its operation was paused or cancelled, or it was put on hold."""

import time

from retry.models import Run
from retry.runs.hold_condition import is_stopped

#: Asking costs a query, so it is asked this often at the most.
SECONDS = 0.5


class Interruption:
    def __init__(self, run: Run) -> None:
        self._run = run
        self._asked = time.monotonic()

    def interrupted(self) -> bool:
        """True where the worker should begin nothing more of the run."""
        if time.monotonic() - self._asked < SECONDS:
            return False
        self._asked = time.monotonic()
        return is_stopped(self._run)
