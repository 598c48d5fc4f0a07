"""Very many workers in one process: they say to PostgreSQL what workers say, by the same functions.

The work is a wait by the clock. What is left out costs PostgreSQL nothing: processes, kinds, and
RQ's own records in Redis.
"""

import heapq
import json
import threading
import time
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from entries.states import EntryStatus
from entries.text import ErrorInfo
from entries.transitions import ClaimedEntry, Outcome
from retry import queue
from retry.defaults import name_queue
from retry.heartbeats import Pulse, Task
from retry.models import WorkerState
from retry.notices.silence import SilenceWatch
from retry.runs.lifecycle import renew_leases
from retry.worker.claim import Claim
from retry.worker.jobs import LINGER_SECONDS
from retry.worker.patience import NONE

#: How often a lane looks into Redis for its idle workers.
_LOOK_SECONDS = 0.05
_ERROR = ErrorInfo("TransientError", "HTTP 503", "", "1-crowd")


@dataclass(frozen=True, slots=True)
class Begin:
    """That a worker began an entry, and when by ``time.time``."""

    at: float
    operation_id: UUID | None
    entry_id: int
    upstream: str


@dataclass(slots=True, eq=False)
class Member:
    """One simulated worker; ``gone``: it has died without a word."""

    name: str
    queue: str
    pulse: Pulse
    silence: SilenceWatch = field(default_factory=SilenceWatch)
    run_id: UUID | None = None
    since: float = 0.0
    task: Task | None = None
    gone: bool = False


@dataclass(slots=True)
class Work:
    """How long an entry takes, and which fail; may be changed while the crowd works."""

    seconds: float
    fails: Callable[[ClaimedEntry], bool] = lambda _: False


class Crowd:
    """``sizes``: how many workers serve each queue. ``with_beats``: they also write heartbeats."""

    def __init__(
        self, work: Work, *, sizes: dict[str, int], lanes: int = 3, with_beats: bool = True
    ) -> None:
        self.work = work
        self.members = [
            Member(f"crowd-{name}-{number}", name, Pulse(queue=name, name=f"crowd-{number}"))
            for name, size in sizes.items()
            for number in range(size)
        ]
        self.begins: list[Begin] = []
        self.ends: list[tuple[float, EntryStatus, str]] = []
        self.statements: Counter[str] = Counter()
        #: How long after their time things were done: what this process itself adds.
        self.delays: list[float] = []
        self.stop = threading.Event()
        keepers: list[Callable[[], None]] = [self._keep_leases]
        if with_beats:
            keepers.append(self._beat)
        self._threads = [
            *(_Lane(self, self.members[number::lanes]) for number in range(lanes)),
            *(threading.Thread(target=self._guard, args=(keep,)) for keep in keepers),
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def busy(self) -> int:
        return sum(member.run_id is not None for member in self.members)

    def vanish(self, number: int) -> list[UUID]:
        """Let so many busy workers die; return the runs that they had."""
        lost = [member for member in self.members if member.run_id is not None][:number]
        for member in lost:
            member.gone = True
        return [member.run_id for member in lost if member.run_id is not None]

    def count(self, what: str) -> Callable[..., Any]:
        """Return a wrapper for ``execute_wrapper`` that counts statements under a name."""

        def wrap(execute: Callable[..., Any], *args: Any) -> Any:
            self.statements[what] += 1
            return execute(*args)

        return wrap

    def _guard(self, keep: Callable[[], None]) -> None:
        try:
            keep()
        finally:
            connection.close()

    def _keep_leases(self) -> None:
        """Do what each worker's watch does: renew its lease every third of it."""
        third = settings.REDRIVE_LEASE_SECONDS / 3
        renewed: dict[UUID, float] = {}
        with connection.execute_wrapper(self.count("leases")):
            while not self.stop.wait(0.1):
                for member in self.members:
                    run_id, now = member.run_id, time.monotonic()
                    # A watch looks for the first time after half a second.
                    if run_id is None or member.gone or now - member.since < 0.5:
                        continue
                    if now - renewed.get(run_id, 0.0) >= third:
                        renew_leases([run_id], worker=member.name)
                        renewed[run_id] = now

    def _beat(self) -> None:
        """Do what each worker's heartbeat does, spread over the interval as by chance."""
        pause = settings.REDRIVE_BEAT_SECONDS / len(self.members)
        with connection.execute_wrapper(self.count("heartbeats")):
            for member in self._in_turn(pause):
                state = WorkerState.BUSY if member.task else WorkerState.IDLE
                member.pulse.beat(state, member.task, beside=member.silence.look)

    def _in_turn(self, pause: float) -> Iterator[Member]:
        due = time.monotonic()
        while True:
            for member in self.members:
                due += pause
                if self.stop.wait(max(0.0, due - time.monotonic())):
                    return
                self.delays.append(max(0.0, time.monotonic() - due))
                if not member.gone:
                    yield member


class _Lane(threading.Thread):
    """A thread that plays its share of the workers, each a generator of waits."""

    def __init__(self, crowd: Crowd, members: Sequence[Member]) -> None:
        super().__init__(name="crowd lane")
        self._crowd = crowd
        self._idle = {name: deque[Member]() for name in {m.queue for m in members}}
        for member in members:
            self._idle[member.queue].append(member)
        self._due: list[tuple[float, int, Member, Iterator[float]]] = []
        self._numbers = count()

    def run(self) -> None:
        looked = 0.0
        with ExitStack() as stack:
            stack.callback(connection.close)
            stack.enter_context(connection.execute_wrapper(self._crowd.count("work")))
            while not self._crowd.stop.is_set():
                now = time.monotonic()
                if now - looked >= _LOOK_SECONDS:
                    looked = now
                    self._take_jobs()
                if self._due and self._due[0][0] <= now:
                    due, _, member, life = heapq.heappop(self._due)
                    self._crowd.delays.append(now - due)
                    self._advance(member, life)
                else:
                    time.sleep(0.005)

    def _take_jobs(self) -> None:
        redis = queue.get_client()
        for name, idle in self._idle.items():
            if not idle:
                continue
            # A share, as the other lanes have idle workers as well.
            ids: Any = redis.lpop(f"rq:queue:{name_queue(name)}", max(1, len(idle) // 4))
            for job_id in ids or ():
                data: Any = redis.hget(f"rq:job:{job_id.decode()}", "data")
                redis.delete(f"rq:job:{job_id.decode()}")
                if data is None:
                    continue
                member = idle.popleft()
                run_id = UUID(json.loads(zlib.decompress(data))[2][0])
                member.task = Task(job_id=job_id.decode(), run_id=run_id, since=timezone.now())
                self._advance(member, self._live(member, run_id))
                if not idle:
                    break

    def _advance(self, member: Member, life: Iterator[float]) -> None:
        if member.gone:
            return
        try:
            pause = next(life)
        except StopIteration:
            member.run_id = member.task = None
            self._idle[member.queue].append(member)
            return
        heapq.heappush(self._due, (time.monotonic() + pause, next(self._numbers), member, life))

    def _live(self, member: Member, run_id: UUID) -> Iterator[float]:
        """Do what ``execution`` does for a kind with one entry at a time."""
        began = time.monotonic()
        claim = Claim.request(run_id, worker=member.name, patience=NONE)
        while claim is not None:
            member.run_id, member.since = claim.run.pk, time.monotonic()
            stopped = False
            while claim.rest and not (stopped := claim.is_stopped()):
                entries = claim.take(claim.rest[:1])
                for entry in entries:
                    self._note(claim, entry)
                    yield self._crowd.work.seconds
                    claim.record([self._finish(entry)])
            claim.hand_on(held=stopped or claim.run.operation_id is not None)
            claim.end()
            member.run_id = None
            lingers = time.monotonic() - began < LINGER_SECONDS
            claim = claim.request_next(patience=NONE) if lingers else None

    def _note(self, claim: Claim, entry: ClaimedEntry) -> None:
        operation_id = claim.run.operation_id
        self._crowd.begins.append(Begin(time.time(), operation_id, entry.id, entry.upstream))

    def _finish(self, entry: ClaimedEntry) -> Outcome:
        fails = self._crowd.work.fails(entry)
        status = EntryStatus.FAILED if fails else EntryStatus.SUCCEEDED
        self._crowd.ends.append((time.time(), status, entry.upstream))
        return Outcome(
            entry.id,
            status,
            error=_ERROR if fails else None,
            transient=fails,
            upstream=entry.upstream,
            seconds=self._crowd.work.seconds,
        )
