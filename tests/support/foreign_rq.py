"""Another RQ installation: a project in a folder of its own, and its real workers."""

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from redis import Redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.timeouts import TimerDeathPenalty

from tests.support.servers import Spawned, spawn

QUEUE = "shop"
_JOBS = '''
import os, time
from pathlib import Path

HERE = Path(__file__).parent

class CardDeclined(Exception):
    pass

def charge(number, seconds=0.0):
    """Fails while there is a file called broken; otherwise notes that it ran."""
    if (HERE / "broken").exists():
        raise CardDeclined(f"order {number} was declined")
    time.sleep(seconds)
    with (HERE / "ledger").open("a") as ledger:
        ledger.write(f"{number} {os.getpid()}\\n")
'''


class _Worker(SimpleWorker):
    """Leaves the signals of this process alone."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        pass


class ForeignShop:
    """``shop_jobs.charge`` fails until ``repair``; ``ledger`` counts its executions by number."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.redis = Redis.from_url(url)
        self.queue = Queue(QUEUE, connection=self.redis)
        (folder / "shop_jobs.py").write_text(_JOBS)
        self.breaks()

    @property
    def place(self) -> str:
        """As ``REDRIVE_RQ_HOSTS`` names it."""
        parts = urlsplit(self.url)
        return parts.hostname or unquote(parts.path)

    def breaks(self) -> None:
        (self.folder / "broken").touch()

    def repair(self) -> None:
        (self.folder / "broken").unlink()

    def enqueue(self, number: int, **options: Any) -> Job:
        job = self.queue.enqueue("shop_jobs.charge", number, **options)
        assert isinstance(job, Job)
        return job

    def fail(self, count: int, **options: Any) -> list[str]:
        """Let a real worker fail jobs; their ids."""
        ids = [self.enqueue(number, **options).id for number in range(count)]
        self.work_off()
        return ids

    def work_off(self) -> None:
        """By RQ's worker, in this process."""
        sys.path.insert(0, str(self.folder))
        try:
            _Worker([self.queue], connection=self.redis).work(burst=True)
        finally:
            sys.path.remove(str(self.folder))
            sys.modules.pop("shop_jobs", None)

    def worker(self, *options: str) -> Spawned:
        """RQ's own worker, in a process of its own and without one for each job."""
        command: list[str | Path] = [
            "-m",
            "rq.cli",
            "worker",
            "--url",
            self.url,
            "--path",
            self.folder,
        ]
        simple = ["--worker-class", "rq.SimpleWorker", "--quiet", *options, QUEUE]
        return spawn(sys.executable, *command, *simple, cwd=self.folder)

    @property
    def ledger(self) -> Mapping[int, int]:
        path = self.folder / "ledger"
        lines = path.read_text().splitlines() if path.exists() else []
        return Counter(int(line.split()[0]) for line in lines)

    def plant(self, id_: str, **fields: str | bytes) -> None:
        """Put a job into the failed-job registry as raw fields, which may be anything."""
        usual: dict[str, str | bytes] = {
            "status": "failed",
            "origin": QUEUE,
            "enqueued_at": "2026-01-02T03:04:05.678900Z",
        }
        for name, value in (usual | fields).items():
            self.redis.hset(f"rq:job:{id_}", name, value)
        self.redis.zadd(f"rq:failed:{QUEUE}", {id_: 4e9})


@contextmanager
def foreign_shop(folder: Path, url: str) -> Iterator[ForeignShop]:
    shop = ForeignShop(folder, url)
    try:
        yield shop
    finally:
        shop.redis.close()
