"""The limits of PostgreSQL and Redis: the same rows changed by hand, and nothing else."""

import os
import threading
import time
from collections.abc import Callable
from uuid import uuid4

import psycopg
from django.db import connection

from bench import stage
from bench.peers import common
from bench.report import Measurement
from entries.models import Entry
from entries.sql import load

_SQL = load(__file__)


def measure_queue_rate(count: int, *, batch: int = 2500) -> Measurement:
    """Measure one ``UPDATE`` with the attempts, in batches of one transaction each."""
    stage.make_failed_entries(count)
    begin = time.perf_counter()
    _queue_by_hand(batch)
    took = time.perf_counter() - begin
    assert Entry.objects.filter(status="queued").count() == count
    return Measurement(
        name=f"bare SQL, batches of {batch:,}", entries=count, seconds=took, limit=True
    )


def _queue_by_hand(batch: int) -> None:
    ids = _ids()
    with connection.cursor() as cursor:
        for first in range(0, len(ids), batch):
            cursor.execute(_SQL["queue"], {"run_id": uuid4(), "ids": ids[first : first + batch]})


def measure_redis(count: int) -> Measurement:
    """Measure a hash and a list item for each entry, 1,000 in one round trip."""
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
    return Measurement(name="bare Redis, HSET and RPUSH", entries=count, seconds=took, limit=True)


def measure_work_rate(count: int, *, group: int = 500) -> Measurement:
    """Measure two connections with a commit to ``running`` and one to ``succeeded`` per group."""
    stage.make_failed_entries(count)
    _queue_by_hand(2500)
    ids = _ids()
    groups = [ids[first : first + group] for first in range(0, count, group)]
    begin = time.perf_counter()
    _in_two_threads(lambda half: _drain_by_hand(groups[half::2]))
    took = time.perf_counter() - begin
    assert stage.count_status("succeeded") == count
    return Measurement(name="bare SQL, 2 connections", entries=count, seconds=took, limit=True)


def _drain_by_hand(groups: list[list[int]]) -> None:
    move = _SQL["move"]
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as own:
        for ids in groups:
            own.execute(move, {"ids": ids, "was": "queued", "to": "running"})
            own.execute(move, {"ids": ids, "was": "running", "to": "succeeded"})


def _in_two_threads(work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(half,)) for half in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _ids() -> list[int]:
    return list(Entry.objects.order_by("id").values_list("id", flat=True))
