"""Heartbeats: which workers are alive, by rows that they write themselves.

RQ's list of workers is no substitute: it is empty after a FLUSHALL, lacks a worker that was stopped
for longer than its keys live, and names dead workers for minutes.
"""

import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now
from django.utils import timezone

from entries.sql import load, read_dicts
from retry.models import WorkerHeartbeat, WorkerState

logger = logging.getLogger(__name__)
_SQL = load(__file__)

#: A worker without a heartbeat for longer does not work.
SILENCE = timedelta(seconds=15)
#: The row of a silent worker on another machine is deleted after this.
_FORGET = timedelta(minutes=2)
#: And that of one whose process exists but is stopped.
_FORGET_STOPPED = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The job of a worker, and its run; None where the job is a sync."""

    job_id: str
    run_id: UUID | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A worker as its row says; ``silence``: how long ago its last heartbeat was."""

    name: str
    queue: str
    host: str
    pid: int
    state: str
    beat_at: datetime
    silence: timedelta
    job_id: str = ""
    run_id: UUID | None = None
    busy_since: datetime | None = None

    @property
    def silent(self) -> bool:
        return self.silence > SILENCE


class Pulse:
    """The heartbeat of one worker process.

    Every beat closes its connection, because the process forks and must not share one.
    """

    def __init__(self, *, queue: str, name: str | None = None) -> None:
        host, pid = socket.gethostname()[:200], os.getpid()
        self._id = uuid4()
        self._fixed: dict[str, Any] = {
            "id": self._id,
            "name": (name or f"{host}-{pid}")[:200],
            "queue": queue,
            "host": host,
            "pid": pid,
            "started_at": timezone.now(),
        }
        self._beat_at = float("-inf")
        self._state: WorkerState | None = None
        self._latest: Task | None = None

    def beat(
        self,
        state: WorkerState,
        task: Task | None = None,
        *,
        beside: Callable[[], None] | None = None,
    ) -> None:
        """Write a heartbeat, at most one in ``REDRIVE_BEAT_SECONDS``, and one at once where the
        worker loses or finds Redis. Never raises for the database: a worker that cannot reach it
        is silent.

        A worker that had a task since the last heartbeat counts as busy between two short tasks.
        ``beside`` is done on the same connection: to open one costs much more than a heartbeat.
        """
        self._latest = task or self._latest
        changed = self._state != state and WorkerState.WAITING in {self._state, state}
        if not changed and time.monotonic() - self._beat_at < settings.REDRIVE_BEAT_SECONDS:
            return
        if state == WorkerState.IDLE and self._latest:
            state, task = WorkerState.BUSY, self._latest
        self._beat_at, self._state, self._latest = time.monotonic(), state, None
        changing: dict[str, Any] = {
            "state": state.value,
            "job_id": task.job_id[:200] if task else "",
            "run_id": task.run_id if task else None,
            "since": task.since if task else None,
        }
        try:
            with connection.cursor() as cursor:
                cursor.execute(_SQL["beat"], self._fixed | changing)
            if beside is not None:
                beside()
        except DatabaseError as error:
            logger.warning("worker.no_heartbeat", extra={"error": type(error).__name__})
        finally:
            connection.close()

    def stop(self) -> None:
        """Delete the row, so that no page waits for the next heartbeat."""
        with suppress(DatabaseError):
            WorkerHeartbeat.objects.filter(pk=self._id).delete()
        connection.close()


def list_workers() -> list[WorkerView]:
    """List the workers that have not ended in order, also silent ones, by queue and name."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["list_workers"])
        return [WorkerView(**row) for row in read_dicts(cursor)]


def prune() -> int:
    """Delete the rows of silent workers that are dead, as far as is known; return how many.

    A worker on this machine is dead when its process is gone. One elsewhere may only be stopped, so
    its row stays for a while.
    """
    here = socket.gethostname()[:200]
    silence = ExpressionWrapper(Now() - F("beat_at"), output_field=DurationField())
    silent = WorkerHeartbeat.objects.annotate(silence=silence).filter(silence__gt=SILENCE)
    dead = []
    for row in silent:
        stopped = row.host == here and _exists(row.pid)
        patience = _FORGET_STOPPED if stopped else _FORGET
        if (row.host == here and not stopped) or row.silence > patience:
            dead.append(row.pk)
    # A worker with a heartbeat meanwhile is alive.
    gone = WorkerHeartbeat.objects.filter(pk__in=dead, beat_at__lt=Now() - SILENCE)
    return gone.delete()[0] if dead else 0


def _exists(pid: int) -> bool:
    """Return whether a process exists; a zombie does not, where the system says so."""
    with suppress(OSError):
        if Path("/proc/self").exists():
            return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(pid, 0)
        return True
    return False
