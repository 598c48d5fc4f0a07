"""The look for what Redis has lost, which takes a moment of each tick however much waits."""

import time
from collections.abc import Iterator, Mapping
from itertools import islice

from django.conf import settings

from retry import queue
from retry.dispatcher.comparison import compare
from retry.dispatcher.snapshot import Snapshot, WorkId, observe
from retry.errors import QueueUnavailable

#: How long one tick looks; what is left is looked at in the next.
LOOK_SECONDS = 0.1


class Losses:
    """Find runs, syncs and imports whose job Redis has lost.

    One object for each control loop, which calls it at every tick.
    """

    def __init__(self) -> None:
        self._suspects: Mapping[WorkId, float] = {}
        self._missing: dict[WorkId, str] = {}
        self._look: Iterator[Snapshot] | None = None
        self._absent: dict[WorkId, float] = {}

    def find(self, *, limit: int) -> Mapping[WorkId, str]:
        """Look on, and return at most ``limit`` of what was found missing, with the last job of
        each; the rest comes with the next calls. Raises ``QueueUnavailable``.
        """
        try:
            self._look_on(time.monotonic() + LOOK_SECONDS)
        except QueueUnavailable:
            # Without an answer from Redis an absence proves nothing.
            self._suspects, self._missing = {}, {}
            raise
        found = dict(islice(self._missing.items(), limit))
        for id_ in found:
            del self._missing[id_]
        return found

    def _look_on(self, deadline: float) -> None:
        look, self._look = self._look, None  # one that fails is not continued
        if look is None:
            look, self._absent = observe(), {}
        else:
            queue.ping()
        for snapshot in look:
            self._compare(snapshot)
            if snapshot.whole:
                self._suspects = self._absent
            elif time.monotonic() > deadline:
                self._look = look
                break

    def _compare(self, snapshot: Snapshot) -> None:
        verdict = compare(
            snapshot,
            suspects=self._suspects,
            now=time.monotonic(),
            absent_seconds=settings.REDRIVE_TICK_SECONDS,
            taken_seconds=settings.REDRIVE_CLAIM_SECONDS,
        )
        self._absent.update(verdict.suspects)
        if verdict.missing:
            lost = set(verdict.missing)
            self._missing.update((run.id, run.job_id) for run in snapshot.queued if run.id in lost)
