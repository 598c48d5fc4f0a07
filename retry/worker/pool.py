"""Several workers of one queue under one parent, which replaces those that die.

The parent is forked when everything is imported, so the workers share its memory. It never connects
to PostgreSQL or Redis, so it has no reason to die of theirs.
"""

import gc
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import NoReturn

from django.db import connections

from retry.worker.main import run_worker
from retry.worker.rq_worker import die_with_parent

logger = logging.getLogger(__name__)

#: Seconds until a dead worker is replaced; doubled for each that died young before it.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
#: A worker that lived longer, in seconds, did not die of its start.
_YOUTH = 60.0
_STOP = (signal.SIGTERM, signal.SIGINT)
# SIGUSR1 is for work-horses; one that reaches the parent by mistake must not kill it.
_HEARD = (*_STOP, signal.SIGCHLD, signal.SIGUSR1)


def run_pool(queue: str, *, processes: int, burst: bool = False, name: str | None = None) -> None:
    """Run so many workers until asked to stop, or with ``burst`` until the queue is empty.

    A signal to stop is passed on to all, each of which obeys it as one that runs alone; returns
    when they have ended. ``name`` is followed by a number. Restores the signal handlers it found.
    """
    connections.close_all()  # a connection must not be shared
    gc.collect()
    gc.freeze()  # or the collector of each worker writes into every page that they share
    Pool(queue, processes=processes, burst=burst, name=name).run()


@dataclass(slots=True, kw_only=True)
class Slot:
    """The place of one worker; ``pid`` is 0 while none is in it."""

    name: str | None
    pid: int = 0
    started_at: float = 0.0
    #: How many died young in a row, and when the next one may start.
    deaths: int = 0
    due_at: float = 0.0
    #: With ``burst``: it has found the queue empty.
    done: bool = False

    def note_death(self) -> float:
        """Vacate the slot; return the seconds until another worker may start."""
        now = time.monotonic()
        self.pid = 0
        self.deaths = self.deaths + 1 if now - self.started_at < _YOUTH else 1
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(self.deaths - 1, 30))
        self.due_at = now + pause
        return pause


class Pool:
    """The parent: it forks the workers, passes signals on and replaces the dead."""

    def __init__(self, queue: str, *, processes: int, burst: bool, name: str | None) -> None:
        self._queue = queue
        self._burst = burst
        self._slots = [
            Slot(name=f"{name}-{number}" if name else None) for number in range(1, processes + 1)
        ]
        self._stopping = False
        self._pid = os.getpid()

    def run(self) -> None:
        with _catch_signals() as inbox:
            while not self._is_over():
                self._fill()
                self._listen(inbox)
                self._reap()

    def _is_over(self) -> bool:
        return not any(slot.pid or not (self._stopping or slot.done) for slot in self._slots)

    def _vacant(self) -> list[Slot]:
        """Return the slots that another worker has to fill."""
        return [s for s in self._slots if not (s.pid or s.done or self._stopping)]

    def _fill(self) -> None:
        for slot in self._vacant():
            if slot.due_at <= time.monotonic():
                self._start(slot)

    def _start(self, slot: Slot) -> None:
        slot.started_at = time.monotonic()
        # A signal waits until there are handlers for it, in the parent and in the worker.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        try:
            slot.pid = os.fork()
        except OSError as error:
            pause = slot.note_death()
            extra = {"error": type(error).__name__, "pause": pause}
            logger.warning("pool.cannot_fork", extra=extra)
        else:
            if not slot.pid:
                self._work(slot)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)

    def _work(self, slot: Slot) -> NoReturn:
        """Be the worker of a slot, and end as a process of its own."""
        code = 1
        try:
            die_with_parent(self._pid)
            # Ctrl-C and signals to the parent's group reach a worker once: by its parent.
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            for number in _HEARD:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
            run_worker(self._queue, burst=self._burst, name=slot.name)
            code = 0
        except SystemExit:  # RQ's cold shutdown
            code = 0
        except BaseException:
            logger.exception("pool.worker_failed")
        finally:
            os._exit(code)

    def _listen(self, inbox: socket.socket) -> None:
        """Wait for a signal, or until a slot is due; pass on a request to stop."""
        due = [slot.due_at for slot in self._vacant()]
        patience = max(0.0, min(due) - time.monotonic()) if due else None
        if not select.select([inbox], [], [], patience)[0]:
            return
        for number in inbox.recv(4096):
            if number in _STOP:
                self._stop()

    def _stop(self) -> None:
        """Ask all workers to stop; asked twice, they stop at once, as RQ's workers do."""
        self._stopping = True
        workers = [slot.pid for slot in self._slots if slot.pid]
        logger.info("pool.stopping", extra={"workers": len(workers)})
        for pid in workers:
            os.kill(pid, signal.SIGTERM)  # it exists: only _reap lets go of it

    def _reap(self) -> None:
        for slot in self._slots:
            if slot.pid and (ended := os.waitpid(slot.pid, os.WNOHANG))[0]:
                self._settle(slot, pid=ended[0], code=os.waitstatus_to_exitcode(ended[1]))

    def _settle(self, slot: Slot, *, pid: int, code: int) -> None:
        pause = slot.note_death()
        slot.done = self._burst and code == 0
        if not (self._stopping or slot.done):
            found = {"queue": self._queue, "worker": slot.name, "pid": pid, "exit_code": code}
            logger.warning("pool.worker_died", extra={**found, "pause": pause})


@contextmanager
def _catch_signals() -> Iterator[socket.socket]:
    """Yield a socket on which each signal that arrives is a byte, with its number."""
    inbox, outbox = socket.socketpair()
    outbox.setblocking(False)  # noqa: FBT003 - the standard library's
    wakeup = signal.set_wakeup_fd(outbox.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, _on_signal) for number in _HEARD}
    try:
        yield inbox
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        inbox.close()
        outbox.close()


def _on_signal(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: Python has written the number to the socket."""
