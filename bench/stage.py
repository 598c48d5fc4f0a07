"""What is there before a measurement begins."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from bench import processes
from entries.filters import EntryFilter
from entries.models import Entry
from entries.states import EntryStatus
from retry import heartbeats, queue
from retry.models import Action, Heartbeat, Operation, Run, RunState
from retry.operations import control
from retry.operations.selection import Selection
from retry.outcomes import Actor

QUEUE = "bulk"
_LIST, _HELD = f"rq:queue:{QUEUE}", "bench:held"


def failed_entries(count: int) -> None:
    """So many failed entries with their attempt, and nothing else, as if it had long been so."""
    queue.get_client().flushdb()
    with _dispatcher_aside(), connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE entries_entry, entries_attempt, retry_run, retry_operation,"
            " retry_auditevent CASCADE"
        )
        cursor.execute(
            "INSERT INTO entries_entry (kind, external_id, title, payload, content_hash, status,"
            " attempt, automatic_attempts, error_class, error_message, fingerprint, failed_at)"
            " SELECT 'noop', 'https://example.com/articles/' || n, 'Article ' || n,"
            " jsonb_build_object('url', 'https://example.com/articles/' || n), md5(n::text),"
            " 'failed', 1, 0, 'TransientError', 'HTTP 503', '1-503', now()"
            " FROM generate_series(1, %s) n",
            [count],
        )
        cursor.execute(
            "INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status,"
            " worker, error_class, error_message, traceback, fingerprint)"
            " SELECT id, 1, gen_random_uuid(), 'failed', 'pending', 'bench', error_class,"
            " error_message, '', fingerprint FROM entries_entry"
        )
        for table in ("entries_entry", "entries_attempt"):
            cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("CHECKPOINT")


@contextmanager
def _dispatcher_aside() -> Iterator[None]:
    """One that runs does nothing meanwhile: emptying tables under its hands is a deadlock."""
    lease = Heartbeat.objects.filter(name=Heartbeat.DISPATCHER)
    taken = lease.update(holder="bench", lease_until=timezone.now() + timedelta(hours=1))
    if taken:
        time.sleep(1.5)  # it looks at its lease at least once a second, between two steps
        processes.until(_nothing_is_open)
    try:
        yield
    finally:
        lease.update(lease_until=None)


def _nothing_is_open() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database() AND state <> 'idle')"
        )
        return bool(cursor.fetchone()[0])


def everything_failed() -> Selection:
    return Selection(filter=EntryFilter(status=EntryStatus.FAILED))


def start() -> Operation:
    return control.start(everything_failed(), action=Action.RETRY, actor=Actor.command("bench"))


def all_queued(operation: Operation) -> bool:
    """Every entry is ``queued`` in PostgreSQL, and every run has reached Redis."""
    runs = Run.objects.filter(operation=operation)
    if runs.filter(state=RunState.PLANNED).exists():
        return False
    return queue.count_jobs([QUEUE])[QUEUE] == runs.count()


def in_status(status: str) -> int:
    return Entry.objects.filter(status=status).count()


def open_runs(operation: Operation) -> int:
    return Run.objects.filter(operation=operation, ended_at=None).count()


def idle_workers() -> int:
    return sum(w.state == "idle" and not w.silent for w in heartbeats.list_workers())


@contextmanager
def dispatcher() -> Iterator[processes.Watched]:
    """The real one, and warm: it has started an operation before, as one that has been running for
    a while. What the entries are is up to the caller.
    """
    failed_entries(1)
    with processes.running(processes.manage("dispatcher"), env=processes.OWN) as watched:
        operation = start()
        processes.until(lambda: all_queued(operation))
        yield watched


def hold_back() -> None:
    """Take the jobs out of the workers' sight, so that all of these can be up before it begins."""
    queue.get_client().rename(_LIST, _HELD)


def let_loose() -> None:
    queue.get_client().rename(_HELD, _LIST)
