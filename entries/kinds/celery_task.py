"""The kind ``celery_task``: sends a failed task of Celery again and follows it to its end."""

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_noop

from entries.errors import FailedElsewhere, PermanentError, TransientError
from entries.foreign_celery import (
    BrokerAway,
    BrokerRefused,
    MaybeSent,
    Message,
    Results,
    ResultsAway,
    Sight,
    connect,
    derive_id,
    read_arguments,
    share_results,
)
from entries.kinds.base import AttemptData, Breaker, EntryData, Kind, RetryPolicy
from entries.kinds.celery_payloads import find_problems, read_call, read_text, read_time
from entries.kinds.clicks import Click, NotLookedUp, find_click
from entries.kinds.registry import register
from entries.kinds.sent_tasks import (
    NotedTask,
    find_sent,
    note_end,
    note_sent,
    reserve_task,
)
from entries.states import SentState

#: Seconds between two looks at a task: short at first, because most tasks are.
_FIRST_LOOK, _LAST_LOOK, _FACTOR = 0.05, 2.0, 1.4
_SOURCE_KIND = "celery_failed"


class StillWaiting(TransientError):
    """The task has not ended within the time limit; the next retry follows it."""


class SourceNotThere(PermanentError):
    """The source of the entry does not say where its task could be sent."""


class MaybeSentTask(PermanentError):
    """The task may have been sent, or not: there was no sign of it."""


class TaskRevoked(PermanentError):
    """The task was revoked, rejected or ignored in its own installation."""


@dataclass(frozen=True, slots=True)
class _Task:
    """A task that is followed. ``sent``: by this attempt; ``in_doubt``: it may not be there."""

    id: str
    results: Results
    sent: bool
    in_doubt: bool


@register
class CeleryTaskKind(Kind):
    """Payload: ``task``, ``queue``, ``args`` and ``kwargs``.

    The source kind ``celery_failed`` stores ``args_text`` and ``kwargs_text`` where only Celery's
    text of the arguments is known.

    The task runs on the workers of its own installation, under a new id. The result has
    ``task_id``, ``task``, ``queue``, ``status``, ``worker``, ``sent`` and its times there.
    """

    name: ClassVar[str] = "celery_task"
    description: ClassVar[str] = gettext_noop(
        "Sends a failed Celery task to its own queue again and follows it there."
    )
    time_limit: ClassVar[float] = settings.REDRIVE_CELERY_TIME_LIMIT
    #: Waiting costs a look at their database every two seconds.
    concurrency: ClassVar[int] = settings.REDRIVE_CELERY_CONCURRENCY
    run_size: ClassVar[int] = 100
    breaker: ClassVar[Breaker] = Breaker.side_by_side(concurrency)
    #: What was sent is only followed, so another try costs nothing.
    retry_policy: ClassVar[RetryPolicy] = RetryPolicy(
        limit=8, first_delay=5.0, on=(BrokerAway, NotLookedUp, ResultsAway)
    )
    rescue_limit: ClassVar[int] = 20
    repairs = {"read_arguments": read_arguments}

    payload_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "task": {"type": "string"},
            "queue": {"type": "string"},
            "args": {"type": "array"},
            "kwargs": {"type": "object"},
            "lost_before": {"type": "string", "format": "date-time"},
        },
        "required": ["task", "queue", "args", "kwargs"],
    }

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any]:
        deadline = time.monotonic() + self.time_limit - min(5.0, self.time_limit / 10)
        click = find_click(entry, attempt, source_kind=_SOURCE_KIND)
        if click is None:
            raise SourceNotThere(f"the entry has no source of the kind {_SOURCE_KIND}")
        task = _send_once(entry, attempt, click)
        sight = _follow(task, entry.payload, deadline)
        return _conclude(entry, attempt, task, sight)

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        """Return source and queue: what waits for the same workers fails together."""
        queue = payload.get("queue")
        return f"{source}:{queue}"[:200] if source and isinstance(queue, str) else source or ""

    def problems_with(self, payload: Mapping[str, Any]) -> list[str]:
        return find_problems(payload)


def _send_once(entry: EntryData, attempt: AttemptData, click: Click) -> _Task:
    """Send the task of this click, or find the one that is to be followed instead of it."""
    results = share_results(click.location)
    id_ = derive_id(
        source=entry.source or "",
        external_id=entry.external_id,
        entry_id=entry.id,
        cycle=click.cycle,
    )
    lost_before = read_time(entry.payload)
    known = find_sent(entry)
    if _may_send(known, click, results, lost_before):
        call = read_call(entry.payload, click.options)
        # What cannot be followed is not sent, and what has a row there has been sent.
        if results.look(id_).status:
            return _Task(id_, results, sent=False, in_doubt=False)
        message = Message(id_, call.task, call.queue, call.args, call.kwargs)
        with connect(call.broker, prefix=call.prefix) as send:
            if reserve_task(
                entry, attempt, task_id=id_, cycle=click.cycle, lost_before=lost_before
            ):
                return _send(entry, attempt, message, results, send)
        known = find_sent(entry)
    if known is None:
        raise NotLookedUp("the entry does not belong to this attempt any more")
    return _Task(known.id, results, sent=False, in_doubt=known.state != SentState.SENT)


def _may_send(
    known: NotedTask | None, click: Click, results: Results, lost_before: datetime | None
) -> bool:
    """Say whether it makes sense to try; ``reserve_task`` decides."""
    if known is None or known.cycle >= click.cycle:
        return known is None
    if known.state in {SentState.ENDED, SentState.DOUBTFUL}:
        return True
    # A person says that it is lost, and there is no sign of it.
    return lost_before is not None and not results.look(known.id).status


def _send(
    entry: EntryData,
    attempt: AttemptData,
    message: Message,
    results: Results,
    send: Callable[[Message], None],
) -> _Task:
    """Send once. Whether it has arrived is in doubt where the connection broke."""
    try:
        send(message)
    except (BrokerAway, BrokerRefused):
        note_end(entry, attempt, task_id=message.id, state=SentState.ENDED)
        raise
    except MaybeSent:
        return _Task(message.id, results, sent=False, in_doubt=True)
    with contextlib.suppress(NotLookedUp):
        note_sent(entry, task_id=message.id)
    return _Task(message.id, results, sent=True, in_doubt=False)


def _follow(task: _Task, payload: Mapping[str, Any], deadline: float) -> Sight:
    """Look at the task until it has ended, or until nothing speaks for its being there."""
    wait = _FIRST_LOOK
    patience = time.monotonic() + settings.REDRIVE_CELERY_DOUBT_SECONDS
    while True:
        sight = task.results.look(task.id)
        now = time.monotonic()
        if sight.ended or (task.in_doubt and not sight.status and now >= patience):
            return sight
        if now + wait > deadline:
            shown = sight.status or "without a result"
            raise StillWaiting(
                f"the task is {shown} after {CeleryTaskKind.time_limit:g} s in "
                f"{read_text(payload, 'queue')[:100]!r}: are there workers, and do they keep "
                "results? A retry follows it",
                result=_describe(task, payload, sight),
            )
        time.sleep(wait)
        wait = min(wait * _FACTOR, _LAST_LOOK)


def _conclude(entry: EntryData, attempt: AttemptData, task: _Task, sight: Sight) -> dict[str, Any]:
    """Return the result of a task that has ended, or raise its error."""
    described = _describe(task, entry.payload, sight)
    if not sight.ended:
        note_end(entry, attempt, task_id=task.id, state=SentState.DOUBTFUL)
        raise MaybeSentTask(
            f"the task {task.id} may have been sent, or not: there was no sign of it for "
            f"{settings.REDRIVE_CELERY_DOUBT_SECONDS:g} s. Look for it there: a retry sends it "
            "again",
            result=described,
        )
    error = None
    if sight.failed:
        # Read before the end is noted: after that, another click may send it again.
        info = task.results.read_error(task.id)
        error = FailedElsewhere(info.message, info=info, result=described)
    with contextlib.suppress(NotLookedUp):
        note_end(entry, attempt, task_id=task.id, state=SentState.ENDED)
    if error is not None:
        raise error
    if sight.status != "SUCCESS":
        word = sight.status.lower()
        raise TaskRevoked(f"the task was {word} there", result=described)
    return described


def _describe(task: _Task, payload: Mapping[str, Any], sight: Sight) -> dict[str, Any]:
    times = ("created_at", "started_at", "done_at")
    found = {name: getattr(sight, name) for name in times}
    return {
        "task_id": task.id,
        "task": read_text(payload, "task"),
        "queue": read_text(payload, "queue"),
        "status": sight.status or "without a result",
        "worker": sight.worker,
        "sent": task.sent,
    } | {name: at.isoformat() for name, at in found.items() if at is not None}
