"""The kind ``rq_job``: puts a failed RQ job back into its own queue and follows it to its end."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_noop

from entries.errors import FailedElsewhere, PermanentError, TransientError
from entries.foreign_rq import (
    PREFIX,
    Mark,
    Sight,
    Store,
    StoreAway,
    look,
    put_back,
    read_last_error,
    settle,
)
from entries.kinds.base import AttemptData, Breaker, EntryData, Kind, RetryPolicy
from entries.kinds.clicks import NotLookedUp, find_click
from entries.kinds.registry import register

#: Seconds between two looks at a job: short at first, because most jobs are.
_FIRST_LOOK, _LAST_LOOK, _FACTOR = 0.05, 1.0, 1.4
#: Seconds in which RQ's own requeue, which is not atomic, has ended.
_REQUEUE_SECONDS = 5.0
_SOURCE_KIND = "rq_failed"


class StillWaiting(TransientError):
    """The job has not ended within the time limit; the next retry follows it."""


class JobNotThere(PermanentError):
    """There is no such job, or not where its entry says."""


class JobNotRequeued(PermanentError):
    """The job cannot be put back by Redrive."""


class JobCanceled(PermanentError):
    """The job was canceled in its own installation."""


@dataclass(frozen=True, slots=True)
class _Click:
    """What is to be put back, where, and for which click (its time in microseconds)."""

    store: Store
    job: str
    queue: str
    cycle: int
    external_id: str

    def put_back(self) -> Mark:
        """One atomic step, which may be repeated."""
        return put_back(
            self.store,
            id_=self.job,
            queue=self.queue,
            cycle=self.cycle,
            external_id=self.external_id,
        )


@register
class RqJobKind(Kind):
    """Payload: ``job`` (an id) and ``queue``, as the source kind ``rq_failed`` stores them.

    The job runs on the workers of its own installation. The result has ``job``, ``queue``,
    ``status``, ``worker``, ``put_back`` and its times there.
    """

    name: ClassVar[str] = "rq_job"
    description: ClassVar[str] = gettext_noop(
        "Puts a failed RQ job back into its own queue and follows it there."
    )
    time_limit: ClassVar[float] = settings.REDRIVE_RQ_TIME_LIMIT
    #: Waiting costs a look at Redis a second.
    concurrency: ClassVar[int] = settings.REDRIVE_RQ_CONCURRENCY
    run_size: ClassVar[int] = 100
    breaker: ClassVar[Breaker] = Breaker.side_by_side(concurrency)
    #: A job that was put back is only followed, so another try costs nothing.
    retry_policy: ClassVar[RetryPolicy] = RetryPolicy(
        limit=8, first_delay=5.0, on=(StoreAway, NotLookedUp)
    )
    rescue_limit: ClassVar[int] = 20

    payload_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"job": {"type": "string"}, "queue": {"type": "string"}},
        "required": ["job", "queue"],
    }

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any]:
        deadline = time.monotonic() + self.time_limit - min(5.0, self.time_limit / 10)
        click = _find_click(entry, attempt)
        mark = click.put_back()
        _refuse(mark, click)
        if mark is Mark.NOT_KEPT:
            return _describe(click, mark, Sight(""))
        sight = _follow(click, mark, deadline)
        return _conclude(click, mark, sight)

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        """Return source and queue: what waits for the same workers fails together."""
        queue = payload.get("queue")
        return f"{source}:{queue}"[:200] if source and isinstance(queue, str) else source or ""

    def problems_with(self, payload: Mapping[str, Any]) -> list[str]:
        return [f'"{name}" must be a text' for name in ("job", "queue") if not _read(payload, name)]


def _read(payload: Mapping[str, Any], name: str) -> str:
    value = payload.get(name)
    return value if isinstance(value, str) else ""


def _find_click(entry: EntryData, attempt: AttemptData) -> _Click:
    job, queue = _read(entry.payload, "job"), _read(entry.payload, "queue")
    if not job or not queue:
        raise JobNotThere('the payload has no "job" or no "queue"')
    found = find_click(entry, attempt, source_kind=_SOURCE_KIND)
    if found is None:
        raise JobNotThere(f"the entry has no source of the kind {_SOURCE_KIND}")
    queues, prefix = found.options.get("queues"), found.options.get("prefix")
    if not isinstance(queues, list) or queue not in queues:
        raise JobNotThere(f"the source does not name the queue {queue[:100]!r}")
    store = Store(found.location, prefix=prefix if isinstance(prefix, str) else PREFIX)
    return _Click(store, job, queue, found.cycle, entry.external_id)


def _refuse(mark: Mark, click: _Click) -> None:
    """Raise where there is nothing to follow."""
    if mark is Mark.GONE:
        raise JobNotThere(
            f"there is no job {click.job[:100]} any more: its time was over, or it was deleted"
        )
    if mark is Mark.ELSEWHERE:
        raise JobNotThere(f"the job {click.job[:100]} does not belong to {click.queue[:100]!r}")
    if mark is Mark.LIMITED:
        raise JobNotRequeued("the job has a rate limit: requeue it with RQ itself")


def _follow(click: _Click, mark: Mark, deadline: float) -> Sight:
    """Look at the job until it has ended there."""
    wait = _FIRST_LOOK
    patience = time.monotonic() + _REQUEUE_SECONDS if mark is Mark.TAKEN else 0.0
    while True:
        sight = look(click.store, click.job)
        now = time.monotonic()
        if sight.ended and not (sight.failed and now < patience):
            if sight.failed and patience:
                raise JobNotRequeued(
                    "the job is not in its failed-job registry any more, so it is not put back"
                )
            return sight
        if not sight.failed:
            patience = 0.0
        if now + wait > deadline:
            raise StillWaiting(
                f"the job is {sight.status} in {click.queue[:100]!r} after "
                f"{RqJobKind.time_limit:g} s: are there workers? A retry follows it",
                result=_describe(click, mark, sight),
            )
        time.sleep(wait)
        wait = min(wait * _FACTOR, _LAST_LOOK)


def _conclude(click: _Click, mark: Mark, sight: Sight) -> Mapping[str, Any]:
    """Return the result of a job that has ended, or raise its error."""
    described = _describe(click, mark, sight)
    if not sight.status:
        # The same step again says whether this click had put it back.
        if click.put_back() is not Mark.NOT_KEPT:
            raise JobNotThere(f"the job {click.job[:100]} was deleted while it was followed")
        return described
    error = None
    if sight.failed:
        # Read before the end is noted: after that, another click puts the job back.
        info, worker = read_last_error(click.store, click.job)
        described |= {"worker": worker or described["worker"]}
        error = FailedElsewhere(info.message, info=info, result=described)
    with contextlib.suppress(StoreAway):
        settle(click.store, id_=click.job, external_id=click.external_id)
    if error is not None:
        raise error
    if sight.status == "canceled":
        raise JobCanceled(f"the job {click.job[:100]} was canceled", result=described)
    return described


def _describe(click: _Click, mark: Mark, sight: Sight) -> dict[str, Any]:
    times = ("enqueued_at", "started_at", "ended_at")
    found = {name: getattr(sight, name) for name in times}
    return {
        "job": click.job,
        "queue": click.queue,
        # RQ deletes what it keeps no result of as soon as it has succeeded.
        "status": sight.status or "finished, and not kept",
        "worker": sight.worker,
        "put_back": mark is Mark.PUT_BACK,
    } | {name: at.isoformat() for name, at in found.items() if at is not None}
