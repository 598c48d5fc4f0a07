"""Puts a failed job back into its own queue, once for each click, and looks what becomes of it.

What Redrive writes into a job's hash are fields of its own (``redrive_…``), which RQ leaves alone.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from entries.foreign_rq.jobs import FAILED, parse_time, read_error
from entries.foreign_rq.store import Store
from entries.text import ErrorInfo, clean_text

#: Seconds for which it is known that a job was put back, where RQ deletes it when it succeeds.
_KEPT_SECONDS = 7 * 24 * 3600
#: Statuses after which nothing follows.
_ENDED = FAILED | {"finished", "canceled"}


class Mark(StrEnum):
    """What came of putting a job back."""

    PUT_BACK = "put_back"
    #: It was put back before, or is at work, or has ended otherwise.
    FOLLOW = "follow"
    #: It has failed, and is not in the registry: it is being requeued, or was taken out.
    TAKEN = "taken"
    #: There is no such job, and nothing says that it was put back.
    GONE = "gone"
    #: There is no such job any more, and it was put back: RQ keeps no result of it.
    NOT_KEPT = "not_kept"
    #: It belongs to another queue.
    ELSEWHERE = "elsewhere"
    #: RQ has to reserve a place for it, which is not done here.
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Sight:
    """A job at one moment. ``status`` is RQ's; empty where there is no such job."""

    status: str
    worker: str = ""
    enqueued_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def ended(self) -> bool:
        return self.status in _ENDED or not self.status

    @property
    def failed(self) -> bool:
        return self.status in FAILED


def put_back(store: Store, *, id_: str, queue: str, cycle: int, external_id: str) -> Mark:
    """Put a failed job back into its queue, in one atomic step that may be repeated.

    ``cycle`` is the time of the click in microseconds. A job is put back where it has failed, and
    no later click, nor this one, has put it back; and never while the end of an earlier time was
    not seen.
    """
    answer, mark = store.call(
        "put_back",
        keys=[
            store.key("job", id_),
            store.key("failed", queue),
            store.key("queue", queue),
            store.key("queues"),
            _name_mark(store, id_),
        ],
        args=[id_, queue, cycle, _format_now(), external_id, _KEPT_SECONDS],
    )
    done = Mark(_decode(answer))
    return Mark.NOT_KEPT if done is Mark.GONE and _decode(mark) == str(cycle) else done


def settle(store: Store, *, id_: str, external_id: str) -> None:
    """Note that the end of a job was seen. May be repeated."""
    (cycle,) = store.ask([("HGET", store.key("job", id_), "redrive_cycle")])
    if cycle is not None:
        store.call(
            "settle",
            keys=[store.key("job", id_), _name_mark(store, id_)],
            args=[_decode(cycle), external_id],
        )


def look(store: Store, id_: str) -> Sight:
    names = ("status", "worker_name", "enqueued_at", "started_at", "ended_at")
    (found,) = store.ask([("HMGET", store.key("job", id_), *names)])
    if not found or found[0] is None:
        return Sight("")
    return Sight(_decode(found[0]), _decode(found[1]), *map(parse_time, found[2:]))


def read_last_error(store: Store, id_: str) -> tuple[ErrorInfo, str]:
    """Return the error of a failed job, and the worker that it failed in, if known."""
    (found,) = store.ask([("HGET", store.key("job", id_), "exc_info")])
    return read_error(store, id_, found)


def _name_mark(store: Store, id_: str) -> str:
    return f"redrive:{store.key('job', id_)}"


def _format_now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _decode(value: Any) -> str:
    return clean_text(value, limit=200)
