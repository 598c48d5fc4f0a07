"""Alarms: problems of the engine, for the top of every page.

Every page shows it, so it has to be cheap: it is kept for a few seconds, counts no entries, and
while Redis does not answer, only one page in eight seconds waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from retry.admin.holds import words as holds
from retry.heartbeats import WorkerView
from retry.models import WorkerState
from retry.status import Status, read

_KEY = "redrive.alarms"
_SECONDS = 3
_SECONDS_WITHOUT_REDIS = 8


@dataclass(frozen=True, slots=True)
class Lines:
    """What stands at the top of every page: what is wrong, and what people have put on hold."""

    alarms: Sequence[str] = ()
    holds: Sequence[str] = ()


def read_lines(request: HttpRequest) -> Lines:
    """Read the lines for staff who are logged in; nothing on the log-in page."""
    user = getattr(request, "user", None)
    if user is None or not user.is_active or not user.is_staff:
        return Lines()
    # Never cached: a hold that was just lifted must be gone.
    held = holds.list_lines(request)
    return Lines((*describe_status(read_engine()), *held.alarms), held.chosen)


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
            _(
                "Redis cannot be reached. Retries are accepted and start by themselves when it is "
                "back."
            )
        )
    if not status.dispatcher_alive:
        found.append(_describe_dispatcher(status))
    idle = status.idle_queues
    if idle:
        text = _(
            "No worker serves %(queues)s, so what is queued there waits. Start one with "
            "%(command)s."
        )
        command = f"manage.py worker {idle[0]}"
        found.append(text % {"queues": get_text_list(idle, _("and")), "command": command})
    found.extend(_describe_silence(worker) for worker in status.silent_workers)
    found.extend(
        _describe_wait(status, name, wait)
        for name, wait in status.overdue.items()
        if name not in idle
    )
    return tuple(found)


def _describe_dispatcher(status: Status) -> str:
    known: dict[str, str] = {"command": "manage.py dispatcher"}
    beat = status.heartbeat
    if beat is None:
        text = _(
            "The dispatcher has never reported, so operations, automatic retries and rescues wait. "
            "Start it with %(command)s."
        )
    else:
        known["time"] = _format(timezone.now() - beat.beat_at)
        text = _(
            "The dispatcher last reported %(time)s ago, so operations, automatic retries and "
            "rescues wait. Start it with %(command)s."
        )
    return text % known


def _describe_silence(worker: WorkerView) -> str:
    text = _(
        "The worker %(name)s of %(queue)s has not reported for %(time)s. It was stopped or killed, "
        "or cannot reach the database. Check process %(pid)s on %(host)s."
    )
    return text % {
        "name": worker.name,
        "queue": worker.queue,
        "time": _format(worker.silence),
        "pid": worker.pid,
        "host": worker.host,
    }


def _describe_wait(status: Status, name: str, wait: timedelta) -> str:
    """Say why work waits in a queue that has workers."""
    serving = status.find_workers(name)
    busy = [worker for worker in serving if worker.state == WorkerState.BUSY]
    known = {"queue": name, "time": _format(wait), "command": f"manage.py worker {name}"}
    if not status.redis:
        text = _(
            "Work in %(queue)s has been waiting for %(time)s. It goes to a worker when Redis is "
            "back."
        )
    elif len(busy) == len(serving):
        known["why"] = _describe_busy(busy)
        text = _(
            "Work in %(queue)s has been waiting for %(time)s: %(why)s. It starts when one is free. "
            "To start it sooner, add a worker with %(command)s."
        )
    elif not status.dispatcher_alive:
        text = _(
            "Work in %(queue)s has been waiting for %(time)s for the dispatcher, which sends it to "
            "a worker."
        )
    else:
        text = _(
            "Work in %(queue)s has been waiting for %(time)s although a worker is free. Check the "
            "logs of the dispatcher and the worker."
        )
    return text % known


def _describe_busy(busy: Sequence[WorkerView]) -> str:
    since = min((worker.busy_since for worker in busy if worker.busy_since), default=None)
    known = {"count": intcomma(len(busy))}
    if since is None:
        one = len(busy) == 1
        text = _("its worker has been busy") if one else _("all its %(count)s workers are busy")
        return text % known
    known["time"] = _format(timezone.now() - since)
    if len(busy) == 1:
        return _("its worker has been busy for %(time)s") % known
    return _("all its %(count)s workers are busy, one for %(time)s") % known


def _format(wait: timedelta) -> str:
    """``20 s``, or ``5 minutes``"""
    if wait < timedelta(minutes=2):
        return _("%(count)d s") % {"count": wait.total_seconds()}
    now = timezone.now()
    return timesince(now - wait, now, depth=1)
