"""Which workers are alive, by rows that they write themselves.

RQ's own list knows less: it is empty after a FLUSHALL, misses whoever was stopped for longer than
its keys live, and goes on naming the dead for minutes.
"""

import logging
import os
import socket
import time
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

from retry.models import WorkerHeartbeat, WorkerState

logger = logging.getLogger(__name__)

#: A worker that has been silent for longer is not at work.
SILENCE = timedelta(seconds=15)
#: A silent one whose process nobody can look at is forgotten after this.
_FORGET = timedelta(minutes=2)
#: And one whose process is still there, but stopped.
_FORGET_STOPPED = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """The job a worker is at, and the run it is for; None where it is for a sync."""

    job_id: str
    run_id: UUID | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """``silence``: how long ago it gave its last sign of life."""

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


_BEAT = """
INSERT INTO retry_workerheartbeat
    (id, name, queue, host, pid, started_at, beat_at, state, job_id, run_id, busy_since)
VALUES (%(id)s, %(name)s, %(queue)s, %(host)s, %(pid)s, %(started_at)s, clock_timestamp(),
        %(state)s, %(job_id)s, %(run_id)s, %(since)s)
ON CONFLICT (id) DO UPDATE
SET beat_at = EXCLUDED.beat_at, state = EXCLUDED.state, job_id = EXCLUDED.job_id,
    run_id = EXCLUDED.run_id, busy_since = EXCLUDED.busy_since
"""


class Pulse:
    """The signs of life of one worker process. It may be asked to beat as often as one likes.

    Every beat closes its connection: the process forks, and a connection must not be shared.
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
        self._beaten = float("-inf")
        self._state: WorkerState | None = None
        self._latest: Task | None = None

    def beat(self, state: WorkerState, task: Task | None = None) -> None:
        """Give a sign of life, at most once in ``REDRIVE_BEAT_SECONDS``, or where it loses or
        finds Redis. Never raises for the database: who cannot reach it falls silent, as is true.

        Whoever had a task since the last one is busy: between two short tasks nobody is free.
        """
        self._latest = task or self._latest
        news = self._state != state and WorkerState.WAITING in {self._state, state}
        if not news and time.monotonic() - self._beaten < settings.REDRIVE_BEAT_SECONDS:
            return
        if state == WorkerState.IDLE and self._latest:
            state, task = WorkerState.BUSY, self._latest
        self._beaten, self._state, self._latest = time.monotonic(), state, None
        changing: dict[str, Any] = {
            "state": state.value,
            "job_id": task.job_id[:200] if task else "",
            "run_id": task.run_id if task else None,
            "since": task.since if task else None,
        }
        try:
            with connection.cursor() as cursor:
                cursor.execute(_BEAT, self._fixed | changing)
        except DatabaseError as error:
            logger.warning("worker.not_heard", extra={"error": type(error).__name__})
        finally:
            connection.close()

    def stop(self) -> None:
        """Leave in order: nobody waits for the next beat."""
        with suppress(DatabaseError):
            WorkerHeartbeat.objects.filter(pk=self._id).delete()
        connection.close()


def workers() -> list[WorkerView]:
    """Those that have not left in order, the silent ones among them, by queue and name."""
    silence = ExpressionWrapper(Now() - F("beat_at"), output_field=DurationField())
    return [
        WorkerView(
            name=row.name,
            queue=row.queue,
            host=row.host,
            pid=row.pid,
            state=row.state,
            beat_at=row.beat_at,
            silence=row.silence,
            job_id=row.job_id,
            run_id=row.run_id,
            busy_since=row.busy_since,
        )
        for row in WorkerHeartbeat.objects.annotate(silence=silence).order_by("queue", "name")
    ]


def prune() -> int:
    """Forget the silent workers that are dead, as far as that can be known; returns how many.

    One on this machine is dead when its process is gone. One elsewhere may be stopped, so it is
    shown for a while.
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
    # One that has beaten meanwhile is alive.
    gone = WorkerHeartbeat.objects.filter(pk__in=dead, beat_at__lt=Now() - SILENCE)
    return gone.delete()[0] if dead else 0


def _exists(pid: int) -> bool:
    """False for a process that has ended and was not collected yet, where the system tells."""
    with suppress(OSError):
        if Path("/proc/self").exists():
            return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(pid, 0)
        return True
    return False
