"""What was sent to another installation for an entry: noted before it is sent, by one statement.

A broker does not say whether it has a message. So PostgreSQL says who may send: one attempt for
each click, and none while an earlier task is not known to have ended.
"""

from dataclasses import dataclass
from datetime import datetime

from entries.kinds.base import AttemptData, EntryData
from entries.kinds.clicks import open_cursor
from entries.sql import load
from entries.states import SentState

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class NotedTask:
    """The last task that was sent for an entry, and what is known of it."""

    id: str
    cycle: int
    state: str


def find_sent(entry: EntryData) -> NotedTask | None:
    """Return what was sent for an entry, if anything. Raises ``NotLookedUp``."""
    with open_cursor() as cursor:
        cursor.execute(_SQL["find"], {"entry_id": entry.id})
        row = cursor.fetchone()
    return NotedTask(*row) if row else None


def reserve_task(
    entry: EntryData,
    attempt: AttemptData,
    *,
    task_id: str,
    cycle: int,
    lost_before: datetime | None = None,
) -> bool:
    """Note that ``task_id`` is about to be sent; return whether this attempt may send it.

    It is committed when this returns. Raises ``NotLookedUp``: then nothing may be sent.
    """
    params = {
        "entry_id": entry.id,
        "run_id": attempt.run_id,
        "number": attempt.number,
        "task_id": task_id,
        "cycle": cycle,
        "lost_before": lost_before,
    }
    with open_cursor() as cursor:
        cursor.execute(_SQL["begin"], params)
        return cursor.fetchone() is not None


def note_sent(entry: EntryData, *, task_id: str) -> None:
    """Note that a task was sent. May be repeated."""
    with open_cursor() as cursor:
        cursor.execute(_SQL["note_sent"], {"entry_id": entry.id, "task_id": task_id})


def note_end(entry: EntryData, attempt: AttemptData, *, task_id: str, state: SentState) -> None:
    """Note that a task has ended, or that it is not known whether it was sent. May be repeated."""
    params = {
        "entry_id": entry.id,
        "run_id": attempt.run_id,
        "task_id": task_id,
        "state": state.value,
    }
    with open_cursor() as cursor:
        cursor.execute(_SQL["note_end"], params)
