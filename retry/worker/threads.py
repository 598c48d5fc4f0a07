"""Threads that process entries side by side, each entry under its own time limit."""

import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import FrameType, TracebackType

import structlog

from entries.kinds.base import Kind
from entries.transitions import Outcome
from retry.worker.activity import Activity
from retry.worker.buffer import Buffer, Item
from retry.worker.connection_pool import close_pool
from retry.worker.kind_connections import KindConnections
from retry.worker.log_context import name_run
from retry.worker.processing import build_timeout_outcome, process_one
from retry.worker.time_limits import ThreadAlarm, TimeLimitHit, find_frame, is_locking

logger = logging.getLogger(__name__)

#: How long an entry may stay after its time limit before it is given up: it waits in a system call
#: or in a C library. Less than the worker itself waits (``lease.OVERDUE_SECONDS``).
GIVE_UP_SECONDS = 3.0
#: Between two looks at the time limits.
_TICK_SECONDS = 0.1
#: Between two interruptions of the same entry, for code that catches everything.
_REPEAT_SECONDS = 1.0
#: How long the main thread may wait for a lock until the process is given up.
LOCKED_SECONDS = 20.0
#: Of the place where an entry is stuck.
_MAX_FRAMES = 100


@dataclass(slots=True, eq=False)
class _Task:
    """One item under way."""

    item: Item
    ends: float
    alarm: ThreadAlarm = field(default_factory=ThreadAlarm)
    thread: int = 0
    interrupted: float = 0.0


class Threads:
    """Up to ``kind.concurrency`` threads. They start when there is work for them.

    An entry that cannot be interrupted is given up: its outcome says that it timed out, and the
    thread is left to the end of the process, which ``is_stuck`` asks for.
    """

    def __init__(self, kind: Kind, *, activity: Activity) -> None:
        self._kind = kind
        self._activity = activity
        self.buffer = Buffer(per_upstream=kind.upstream_concurrency, began=self._note)
        self._finished: queue.SimpleQueue[tuple[Item, Outcome]] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._tasks: dict[int, _Task] = {}
        self._lock = threading.Lock()
        self._main = threading.get_ident()
        self._closed = threading.Event()
        self.is_stuck = False

    def start(self, items: Iterable[Item]) -> None:
        """Process items, as soon as a thread is free and their upstream allows."""
        items = list(items)
        wanted = min(self._kind.concurrency, len(self._threads) + len(items))
        if not self._threads and items:
            self._start_thread(self._keep_time, "time limits")
        while len(self._threads) < wanted:
            try:
                thread = self._start_thread(self._work, f"entries {len(self._threads)}")
            except RuntimeError:  # the system allows no more
                if not self._threads:
                    raise
                logger.warning("worker.few_threads", extra={"threads": len(self._threads)})
                break
            self._threads.append(thread)
        self.buffer.put(items)

    def wait(self, seconds: float, *, gather: float, expected: int) -> list[tuple[Item, Outcome]]:
        """Wait up to ``seconds`` for an outcome, and then ``gather`` seconds for more.

        Returns earlier with all that were ``expected``.
        """
        found: list[tuple[Item, Outcome]] = []
        until = time.monotonic() + seconds
        while len(found) < expected and (left := until - time.monotonic()) > 0:
            try:
                found.append(self._finished.get(timeout=left))
            except queue.Empty:
                break
            if len(found) == 1:
                until = time.monotonic() + gather
        return found

    def close(self) -> None:
        """Begin nothing more; threads that are free end."""
        self._closed.set()
        self.buffer.close()
        for thread in self._threads:
            while thread.is_alive() and not self.is_stuck:
                thread.join(_TICK_SECONDS)
        close_pool()

    @staticmethod
    def _start_thread(target: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=target, name=name, daemon=True)
        thread.start()
        return thread

    def _note(self, item: Item) -> None:
        seconds = self._kind.time_limit
        self._activity.begin(item.entry.id, seconds=seconds)
        self._tasks[item.entry.id] = _Task(item, ends=time.monotonic() + seconds)

    def _work(self) -> None:
        with KindConnections(pooled=True) as connections, connections.lend():
            while (item := self.buffer.get()) is not None:
                task = self._tasks[item.entry.id]
                task.thread = threading.get_ident()
                outcome = self._process(task, connections)
                connections.give_back()
                self._end(task, outcome)
                self.buffer.end(item)

    def _process(self, task: _Task, connections: KindConnections) -> Outcome:
        entry, run = task.item.entry, task.item.claim.run
        try:
            with structlog.contextvars.bound_contextvars(**name_run(run)):
                return process_one(entry, run=run, alarm=task.alarm, connections=connections)
        except TimeLimitHit as hit:  # raised once more, while the first was being handled
            task.alarm.disarm()
            connections.drop()
            return build_timeout_outcome(entry, run=run, traceback=hit.__traceback__)

    def _end(self, task: _Task, outcome: Outcome) -> bool:
        """Hand over an outcome; False where the task has ended before."""
        with self._lock:
            if self._tasks.pop(task.item.entry.id, None) is not task:
                logger.warning("entry.late", extra={"entry_id": task.item.entry.id})
                return False
        self._activity.end(task.item.entry.id)
        self._finished.put((task.item, outcome))
        return True

    def _keep_time(self) -> None:
        free = time.monotonic()
        while not self._closed.wait(_TICK_SECONDS) or self._tasks:
            now = time.monotonic()
            for task in list(self._tasks.values()):
                if now > task.ends + GIVE_UP_SECONDS:
                    self._give_up(task)
                elif now > task.ends and now - task.interrupted > _REPEAT_SECONDS:
                    task.interrupted = now if task.alarm.interrupt() else 0.0
            if not is_locking(self._main):
                free = now
            elif now - free > LOCKED_SECONDS:
                # A lock that no thread releases any more. Its worker settles what is under way.
                os.kill(os.getpid(), signal.SIGKILL)

    def _give_up(self, task: _Task) -> None:
        traceback = _build_traceback(find_frame(task.thread))
        entry, run = task.item.entry, task.item.claim.run
        self.is_stuck = True
        if self._end(task, build_timeout_outcome(entry, run=run, traceback=traceback)):
            logger.warning("entry.stuck", extra={"entry_id": entry.id, "kind": entry.kind})


def _build_traceback(frame: FrameType | None) -> TracebackType | None:
    """Return a traceback as if an error were raised where a thread is."""
    traceback: TracebackType | None = None
    for _ in range(_MAX_FRAMES):
        if frame is None:
            break
        traceback = TracebackType(traceback, frame, max(frame.f_lasti, 0), frame.f_lineno or 1)
        frame = frame.f_back
    return traceback
