"""Retention in the dispatcher: a batch a second, in at most a third of its time."""

import time

from django.conf import settings

from retry import service
from retry.retention.passes import find_due
from retry.runs.rescue import DISPATCHER

#: A new dispatcher has other things to do first. Where nothing is due, it looks again after this.
_FIRST_SECONDS = 30.0
_IDLE_SECONDS = 30.0
#: Batches that find nothing to delete follow each other for so long.
_SECONDS = 0.05
#: A batch is due this long after the one before was, so that a busy machine, where it takes longer,
#: deletes as much; after one that took long it rests by so many times of that.
_EVERY_SECONDS = 1.0
_REST = 2.0
#: A rule that failed is left alone for so long; the others go on.
_FAILED_SECONDS = 600.0


class Retention:
    """Does the passes of all rules, one batch after the other."""

    def __init__(self, *, first_seconds: float = _FIRST_SECONDS) -> None:
        self._rests_until = time.monotonic() + first_seconds
        self._failed: dict[str, float] = {}

    def step(self) -> None:
        """Do a batch if it is time. Raises what the rule raises, which is then left alone."""
        if not settings.REDRIVE_PRUNE or time.monotonic() < self._rests_until:
            return
        began = time.monotonic()
        name = self._choose()
        if name is None:
            self._rests_until = began + _IDLE_SECONDS
            return
        try:
            self._do_batches(name, until=began + _SECONDS)
        except Exception:
            self._failed[name] = time.monotonic() + _FAILED_SECONDS
            raise
        finally:
            late, took = began - self._rests_until, time.monotonic() - began
            self._rests_until = began + plan_next(late=late, took=took)

    def _choose(self) -> str | None:
        now = time.monotonic()
        return next((name for name in find_due() if self._failed.get(name, 0.0) < now), None)

    def _do_batches(self, name: str, *, until: float) -> None:
        while (batch := service.prune_batch(name, actor=DISPATCHER)) is not None:
            if batch.removed or time.monotonic() > until:
                break


def plan_next(*, late: float, took: float) -> float:
    """Return how many seconds after the begin of a batch, which took so many, the next begins.

    ``late``: by how many it began late, as a tick had to end first; that is made up for, so that
    ticks of a busy machine, which are longer, delete as much.
    """
    return max(_EVERY_SECONDS - min(late, _EVERY_SECONDS), (1 + _REST) * took)
