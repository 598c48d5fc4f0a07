"""Whether somebody has paused or cancelled the operation that a run belongs to."""

import time

from retry.models import Operation, OperationState, Run

#: Asking costs a query, so it is asked this often at the most.
SECONDS = 0.5


class Interruption:
    def __init__(self, run: Run) -> None:
        self._operation_id = run.operation_id
        self._asked = time.monotonic()

    def interrupted(self) -> bool:
        """True where the worker should begin nothing more of the run."""
        if self._operation_id is None or time.monotonic() - self._asked < SECONDS:
            return False
        self._asked = time.monotonic()
        held = (OperationState.PAUSED, OperationState.CANCELLED)
        return Operation.objects.filter(pk=self._operation_id, state__in=held).exists()
