"""Alarms: problems of the engine, for the top of every page.

Every page shows it, so it has to be cheap: it is kept for a few seconds, counts no entries, and
while Redis does not answer, only one page in eight seconds waits for it.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.timesince import timesince

from retry.admin.holds import words as holds
from retry.heartbeats import WorkerView
from retry.models import WorkerState
from retry.status import Status, read

_KEY = "redrive.alarms"
_SECONDS = 3
_SECONDS_WITHOUT_REDIS = 8


def list_alarms(request: HttpRequest) -> Sequence[str]:
    """List alarms and holds for staff who are logged in; nothing on the log-in page."""
    user = getattr(request, "user", None)
    if user is None or not user.is_active or not user.is_staff:
        return ()
    # Never cached: a hold that was just lifted must be gone.
    return (*describe_status(read_engine()), *holds.list_alarms(request))


def read_engine() -> Status:
    """Return the status without counts, at most a few seconds old."""
    known: Status | None = cache.get(_KEY)
    if known is None:
        known = read(counting=False)
        cache.set(_KEY, known, _SECONDS if known.redis else _SECONDS_WITHOUT_REDIS)
    return known


def describe_status(status: Status) -> Sequence[str]:
    found = []
    if not status.redis:
        found.append(
            "Redis cannot be reached. Retries are accepted and start by themselves when it is back."
        )
    if not status.dispatcher_alive:
        beat = status.heartbeat
        reported = (
            f"last reported {_format(timezone.now() - beat.beat_at)} ago"
            if beat
            else "has never reported"
        )
        found.append(
            f"The dispatcher {reported}, so operations, automatic retries and rescues wait. "
            "Start it with manage.py dispatcher."
        )
    idle = status.idle_queues
    if idle:
        found.append(
            f"No worker serves {get_text_list(idle, 'and')}, so what is queued there waits. "
            f"Start one with manage.py worker {idle[0]}."
        )
    found.extend(_describe_silence(worker) for worker in status.silent_workers)
    found.extend(
        _describe_wait(status, name, wait)
        for name, wait in status.overdue.items()
        if name not in idle
    )
    return tuple(found)


def _describe_silence(worker: WorkerView) -> str:
    return (
        f"The worker {worker.name} of {worker.queue} has not reported for "
        f"{_format(worker.silence)}. It was stopped or killed, or cannot reach the database. "
        f"Check process {worker.pid} on {worker.host}."
    )


def _describe_wait(status: Status, name: str, wait: timedelta) -> str:
    """Say why work waits in a queue that has workers."""
    serving = status.find_workers(name)
    busy = [worker for worker in serving if worker.state == WorkerState.BUSY]
    waits = f"Work in {name} has been waiting for {_format(wait)}"
    if not status.redis:
        return f"{waits}. It goes to a worker when Redis is back."
    if len(busy) == len(serving):
        since = min((w.busy_since for w in busy if w.busy_since), default=None)
        longest = f" for {_format(timezone.now() - since)}" if since else ""
        if len(busy) == 1:
            workers = f"its worker has been busy{longest}"
        else:
            workers = f"all its {len(busy)} workers are busy{longest and ', one' + longest}"
        return (
            f"{waits}: {workers}. It starts when one is free. To start it sooner, add a worker "
            f"with manage.py worker {name}."
        )
    if not status.dispatcher_alive:
        return f"{waits} for the dispatcher, which sends it to a worker."
    return f"{waits} although a worker is free. Check the logs of the dispatcher and the worker."


def _format(wait: timedelta) -> str:
    """``20 s``, or ``5 minutes``"""
    if wait < timedelta(minutes=2):
        return f"{int(wait.total_seconds())} s"
    now = timezone.now()
    return timesince(now - wait, now, depth=1)
