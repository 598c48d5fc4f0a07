"""What PostgreSQL and Redis can do at all: the same rows changed by hand, with nothing around."""

import os
import threading
import time
from collections.abc import Callable
from uuid import uuid4

import psycopg
from django.db import connection

from bench import stage
from bench.peers import common
from bench.report import Measured
from entries.models import Entry

_QUEUE = """
WITH moved AS (
    UPDATE entries_entry SET status = 'queued', attempt = attempt + 1, run_id = %(run_id)s,
           status_changed_at = now(), updated_at = now()
    WHERE id = ANY(%(ids)s) AND status = 'failed' RETURNING id, attempt, run_id
)
INSERT INTO entries_attempt (entry_id, number, run_id, status, previous_status, worker,
                             error_class, error_message, traceback, fingerprint)
SELECT id, attempt, run_id, 'queued', 'failed', '', '', '', '', '' FROM moved
"""


def bare_queueing(count: int, *, batch: int = 2500) -> Measured:
    """One ``UPDATE`` and the attempts, in batches, each its own transaction."""
    stage.failed_entries(count)
    begin = time.perf_counter()
    _queue_by_hand(batch)
    took = time.perf_counter() - begin
    assert Entry.objects.filter(status="queued").count() == count
    return Measured(name=f"bare SQL, batches of {batch:,}", entries=count, seconds=took, limit=True)


def _queue_by_hand(batch: int) -> None:
    ids = _ids()
    with connection.cursor() as cursor:
        for first in range(0, len(ids), batch):
            cursor.execute(_QUEUE, {"run_id": uuid4(), "ids": ids[first : first + batch]})


def bare_redis(count: int) -> Measured:
    """A hash and a place in a list for each entry, 1,000 in one round trip."""
    redis = common.client(common.RQ)
    redis.flushdb()
    begin = time.perf_counter()
    for first in range(0, count, 1000):
        with redis.pipeline(transaction=False) as pipe:
            for number in range(first, first + 1000):
                pipe.hset(f"job:{number}", mapping={"data": number, "created_at": begin})
                pipe.rpush("jobs", number)
            pipe.execute()
    took = time.perf_counter() - begin
    redis.flushdb()
    return Measured(name="bare Redis, HSET and RPUSH", entries=count, seconds=took, limit=True)


_MOVE = """
WITH moved AS (
    UPDATE entries_entry SET status = %(to)s, status_changed_at = now(), updated_at = now()
    WHERE id = ANY(%(ids)s) AND status = %(was)s RETURNING id, attempt
)
UPDATE entries_attempt a SET status = %(to)s,
       started_at = CASE WHEN %(to)s = 'running' THEN now() ELSE started_at END,
       ended_at = CASE WHEN %(to)s = 'succeeded' THEN now() END
FROM moved m WHERE a.entry_id = m.id AND a.number = m.attempt
"""


def bare_draining(count: int, *, group: int = 500) -> Measured:
    """Two connections, groups of 500: one commit to ``running``, one to ``succeeded``."""
    stage.failed_entries(count)
    _queue_by_hand(2500)
    ids = _ids()
    groups = [ids[first : first + group] for first in range(0, count, group)]
    begin = time.perf_counter()
    _in_two_threads(lambda half: _drain_by_hand(groups[half::2]))
    took = time.perf_counter() - begin
    assert stage.in_status("succeeded") == count
    return Measured(name="bare SQL, 2 connections", entries=count, seconds=took, limit=True)


def _drain_by_hand(groups: list[list[int]]) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
        for ids in groups:
            own.execute(_MOVE, {"ids": ids, "was": "queued", "to": "running"})
            own.execute(_MOVE, {"ids": ids, "was": "running", "to": "succeeded"})


def _in_two_threads(work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(half,)) for half in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ids() -> list[int]:
    return list(Entry.objects.order_by("id").values_list("id", flat=True))
