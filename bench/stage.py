"""The state of database, Redis and processes before a measurement."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from bench import processes
from entries.filters import EntryFilter
from entries.models import Entry
from entries.sql import load
from entries.states import EntryStatus
from retry import heartbeats, queue
from retry.models import Action, Heartbeat, Operation, Run, RunState
from retry.operations import control
from retry.operations.selection import Selection
from retry.outcomes import Actor

QUEUE = "bulk"
SQL = load(__file__)
_LIST, _HELD = f"rq:queue:redrive-{QUEUE}", "bench:held"


@dataclass(frozen=True, slots=True)
class WaitingWork:
    """What entries are that ask another server; each payload also gets a number."""

    kind: str
    payload: Mapping[str, str]
    upstream: str


def make_failed_entries(count: int, *, work: WaitingWork | None = None) -> None:
    """Leave ``count`` failed entries with their attempts in the database, and nothing else.

    Without ``work`` they do nothing.
    """
    queue.get_client().flushdb()
    with _pause_dispatcher(), connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE entries_entry, entries_indexedentry, entries_attempt, retry_run,"
            " retry_operation, retry_auditevent CASCADE"
        )
        if work is None:
            cursor.execute(SQL["insert_failed_entries"], {"count": count})
        else:
            payload = json.dumps(work.payload)
            cursor.execute(
                SQL["insert_waiting_entries"],
                {"kind": work.kind, "payload": payload, "upstream": work.upstream, "count": count},
            )
        cursor.execute(SQL["insert_attempts"])
        for table in ("entries_entry", "entries_attempt"):
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("CHECKPOINT")


@contextmanager
def _pause_dispatcher() -> Iterator[None]:
    """Keep a running dispatcher idle: tables emptied while it works would be a deadlock."""
    lease = Heartbeat.objects.filter(name=Heartbeat.DISPATCHER)
    taken = lease.update(holder="bench", lease_until=timezone.now() + timedelta(hours=1))
    if taken:
        time.sleep(1.5)  # it checks its lease at least once a second, between two steps
        processes.wait_until(_is_database_idle)
    try:
        yield
    finally:
        lease.update(lease_until=None)


def _is_database_idle() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(SQL["is_idle"])
        return bool(cursor.fetchone()[0])


def select_failed() -> Selection:
    return Selection(filter=EntryFilter(status=EntryStatus.FAILED))


def start_operation() -> Operation:
    return control.start(select_failed(), action=Action.RETRY, actor=Actor.command("bench"))


def is_queued(operation: Operation) -> bool:
    """Tell whether every entry is queued in PostgreSQL and every run has reached Redis."""
    runs = Run.objects.filter(operation=operation)
    if runs.filter(state=RunState.PLANNED).exists():
        return False
    return queue.count_jobs([QUEUE])[QUEUE] == runs.count()


def count_status(status: str) -> int:
    return Entry.objects.filter(status=status).count()


def count_open_runs(operation: Operation) -> int:
    return Run.objects.filter(operation=operation, ended_at=None).count()


def count_idle_workers() -> int:
    return sum(w.state == "idle" and not w.silent for w in heartbeats.list_workers())


@contextmanager
def run_dispatcher() -> Iterator[processes.ProcessWatch]:
    """Run the real dispatcher, warmed up by an operation; the caller makes the entries."""
    make_failed_entries(1)
    with processes.run(processes.manage("dispatcher"), env=processes.OWN) as watched:
        operation = start_operation()
        processes.wait_until(lambda: is_queued(operation))
        yield watched


def hide_jobs() -> None:
    """Hide the jobs from the workers, so that all workers can be up before the start."""
    queue.get_client().rename(_LIST, _HELD)


def show_jobs() -> None:
    queue.get_client().rename(_HELD, _LIST)
