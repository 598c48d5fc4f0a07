"""What is wrong with the engine right now, in words, for the top of every page.

Every page asks, so the answer is cheap: kept for a few seconds, without counting entries, and
when Redis does not answer, the next one to ask does not wait for it again.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.timesince import timesince

from retry.admin.holds import words as hold_words
from retry.heartbeats import WorkerView
from retry.models import WorkerState
from retry.status import Status, read

_KEY = "redrive.alarms"
_SECONDS = 3
_SECONDS_WITHOUT_REDIS = 8


def alarms_for(request: HttpRequest) -> Sequence[str]:
    """For staff who are logged in; the login page tells nobody anything."""
    user = getattr(request, "user", None)
    if user is None or not user.is_active or not user.is_staff:
        return ()
    known: Sequence[str] | None = cache.get(_KEY)
    if known is None:
        status = read(counting=False)
        known = of(status)
        cache.set(_KEY, known, _SECONDS if status.redis else _SECONDS_WITHOUT_REDIS)
    # Never kept: whoever has just lifted a hold must not read that it stands.
    return (*known, *hold_words.alarms(request))


def of(status: Status) -> Sequence[str]:
    found = []
    if not status.redis:
        found.append(
            "Redis cannot be reached. Retries are accepted and start by themselves when it is back."
        )
    if not status.dispatcher_alive:
        beat = status.heartbeat
        heard = (
            f"was last heard of {_time(timezone.now() - beat.beat_at)} ago"
            if beat
            else "has never been heard of"
        )
        found.append(
            f"The dispatcher {heard}: operations, automatic retries and the rescue of lost work "
            "wait for it. Start it with manage.py dispatcher."
        )
    idle = status.idle_queues
    if idle:
        found.append(
            f"No worker serves {get_text_list(idle, 'and')}: what is queued there waits. "
            f"Start one with manage.py worker {idle[0]}."
        )
    found.extend(_silent(worker) for worker in status.silent_workers)
    found.extend(
        _overdue(status, name, wait) for name, wait in status.overdue.items() if name not in idle
    )
    return tuple(found)


def _silent(worker: WorkerView) -> str:
    return (
        f"The worker {worker.name} of {worker.queue} has been silent for {_time(worker.silence)}: "
        "it was stopped or killed, or cannot reach the database. Look after process "
        f"{worker.pid} on {worker.host}."
    )


def _overdue(status: Status, name: str, wait: timedelta) -> str:
    """Of a queue that workers serve."""
    serving = status.find_workers(name)
    busy = [worker for worker in serving if worker.state == WorkerState.BUSY]
    waits = f"Work in {name} has been waiting for {_time(wait)}"
    if not status.redis:
        return f"{waits}: it is handed to a worker when Redis is back."
    if len(busy) == len(serving):
        since = min((w.busy_since for w in busy if w.busy_since), default=None)
        longest = f" for {_time(timezone.now() - since)}" if since else ""
        if len(busy) == 1:
            workers = f"its worker has been busy{longest}"
        else:
            workers = f"all its {len(busy)} workers are busy{longest and ', one' + longest}"
        return (
            f"{waits}: {workers}. It starts when one is free; start another with "
            f"manage.py worker {name} if that takes too long."
        )
    if not status.dispatcher_alive:
        return f"{waits} for the dispatcher, which hands it to a worker."
    return f"{waits} although a worker is free: the log of the dispatcher and the worker says why."


def _time(wait: timedelta) -> str:
    """``20 s``, or ``5 minutes``."""
    if wait < timedelta(minutes=2):
        return f"{int(wait.total_seconds())} s"
    now = timezone.now()
    return timesince(now - wait, now, depth=1)
