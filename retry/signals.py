"""Django signals for outcomes: for code that wants to know how entries ended.

A signal is sent for a batch, in the process that recorded it, after the commit, at most once; not
where the process ends before. Receivers run in a thread beside the work: one that raises is logged,
and one that is slow loses what does not fit (``signals.dropped``).

Each receiver is called with ``kind``, ``source_id``, ``run_id``, ``operation_id``, and
``outcomes``, a sequence of ``entries.transitions.Outcome``. Its queries go by a connection of its
thread.
"""

import logging
import os
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connections
from django.dispatch import Signal

from entries.states import EntryStatus
from entries.transitions import Outcome
from retry.models import Run

logger = logging.getLogger(__name__)

entries_succeeded = Signal()
entries_failed = Signal()
#: An attempt failed, and the entry is retried automatically.
entries_scheduled = Signal()

SIGNALS: Mapping[EntryStatus, Signal] = {
    EntryStatus.SUCCEEDED: entries_succeeded,
    EntryStatus.FAILED: entries_failed,
    EntryStatus.SCHEDULED: entries_scheduled,
}
#: Outcomes that wait for slow receivers.
MOST_WAITING = 10_000
#: A work-horse that has nothing else to do waits so long for receivers, and then ends.
DRAIN_SECONDS = 1.0
#: A thread without anything to do ends, because workers fork.
_IDLE_SECONDS = 1.0


def announce(outcomes: Iterable[Outcome], *, run: Run) -> None:
    """Send the signals for committed outcomes, in another thread. Never raises or waits."""
    if not any(signal.receivers for signal in SIGNALS.values()):
        return
    by_status: dict[EntryStatus, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_status[outcome.status].append(outcome)
    for status, found in by_status.items():
        signal = SIGNALS.get(status)
        if signal is not None and signal.has_listeners(None):
            OUTBOX.put(
                signal,
                {
                    "kind": run.kind,
                    "source_id": run.source_id,
                    "run_id": run.id,
                    "operation_id": run.operation_id,
                    "outcomes": tuple(found),
                },
            )


class Outbox:
    """What waits for receivers, and the thread that calls them."""

    def __init__(self) -> None:
        self.reset()
        os.register_at_fork(after_in_child=self.reset)  # the child has no thread

    def reset(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Signal, dict[str, Any]]] = deque()
        #: Outcomes that wait or are being sent.
        self._size = 0
        self._thread: threading.Thread | None = None

    def put(self, signal: Signal, batch: dict[str, Any]) -> None:
        count = len(batch["outcomes"])
        with self._changed:
            if self._size and self._size + count > MOST_WAITING:
                logger.warning("signals.dropped", extra={"outcomes": count})
                return
            self._waiting.append((signal, batch))
            self._size += count
            self._changed.notify_all()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="signals", daemon=True)
                self._thread.start()

    def drain(self, seconds: float) -> bool:
        """Wait until all is sent, at most ``seconds``; False where something is left."""
        until = time.monotonic() + seconds
        with self._changed:
            while self._size and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            if self._size:
                logger.warning("signals.dropped", extra={"outcomes": self._size})
            return not self._size

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._changed.wait(_IDLE_SECONDS)
                if not self._waiting:
                    self._thread = None
                    return
                signal, batch = self._waiting.popleft()
            _send(signal, batch)
            with self._changed:
                self._size -= len(batch["outcomes"])
                self._changed.notify_all()


def _send(signal: Signal, batch: dict[str, Any]) -> None:
    try:
        signal.send_robust(sender=None, **batch)  # logs what a receiver raises
    except BaseException:
        logger.exception("signals.failed")
    finally:
        connections.close_all()  # of this thread


OUTBOX = Outbox()
