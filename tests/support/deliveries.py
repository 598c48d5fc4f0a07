"""Many webhooks to a receiver that fails at random, while the workers are killed.

For the test and for the bench, which tell the same story at different lengths.
"""

import json
import os
import random
import signal
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from django.conf import settings
from standardwebhooks import Webhook, WebhookVerificationError

from entries import storage
from entries.endpoints import create_secret
from entries.models import Attempt, Endpoint, Entry
from entries.sources.base import SourceItem
from retry.models import WorkerHeartbeat
from retry.service import submit_entries
from tests.support.asking import SCRIPT
from tests.support.processes import child_environment, manage
from tests.support.servers import process_exists, spawn, wait_until

FAILING = 0.3
WORKERS = 2
#: Everything is one queue's, retries come quickly, and a dead worker is soon noticed.
_CHILDREN = {
    "LOG_LEVEL": "WARNING",
    "REDRIVE_ALLOWED_NETWORKS": "127.0.0.1/32",
    "REDRIVE_CLICK_SIZE": "0",
    "REDRIVE_LEASE_SECONDS": "3",
    "REDRIVE_WEBHOOK_AUTOMATIC_RETRIES": "20",
    "REDRIVE_WEBHOOK_FIRST_DELAY": "0.001",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as the receiver saw it. ``accepted``: it was answered with 200."""

    number: int
    key: str
    webhook_id: str
    verified: bool
    accepted: bool


class Receiver:
    """Fails ``FAILING`` of what it gets: busy, asked to wait, or hung up on.

    Half of those it hangs up on it has not read, the other half it has.
    """

    def __init__(self, secret: str, *, seed: int) -> None:
        self.received: list[Delivery] = []
        self.unread = 0
        self._secret = secret
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._inside = 0
        self._open = threading.Event()
        self._open.set()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/hooks"

    @property
    def inside(self) -> int:
        """Deliveries that have come and not been answered."""
        return self._inside

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Meanwhile nothing is answered."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver._receive(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
                """Silence: ``received`` is asked."""

        return Handler

    def _receive(self, request: BaseHTTPRequestHandler) -> None:
        with self._lock:
            lot, which = self._random.random(), self._random.randrange(4)
            self._inside += 1
        answer = (503, 429, None, None)[which] if lot < FAILING else 200
        try:
            if answer is None and which == 3:
                self.unread += 1
                return
            body = request.rfile.read(int(request.headers["content-length"]))
            self._open.wait(20)
            delivery = self._delivery(body, dict(request.headers), accepted=answer == 200)
            with self._lock:
                self.received.append(delivery)
            if answer is not None:
                request.send_response(answer)
                if answer == 429:
                    request.send_header("Retry-After", "1")
                request.end_headers()
        finally:
            with self._lock:
                self._inside -= 1

    def _delivery(self, body: bytes, headers: dict[str, str], *, accepted: bool) -> Delivery:
        try:
            number = Webhook(self._secret).verify(body, headers)["number"]
            verified = True
        except WebhookVerificationError:
            number, verified = json.loads(body)["number"], False
        return Delivery(
            number, headers["Idempotency-Key"], headers["webhook-id"], verified, accepted
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is what this is about."""


class Crew:
    """So many workers at any time, however often one is killed."""

    def __init__(self, stack: ExitStack) -> None:
        words = (sys.executable, "-m", "tests.support.crew", "bulk", str(WORKERS))
        environment = child_environment(**_CHILDREN) | {"REDRIVE_ROLE": "worker"}
        stack.enter_context(spawn(*words, env=environment))
        self._killed: set[int] = set()

    @property
    def kills(self) -> int:
        return len(self._killed)

    def kill_one(self) -> None:
        """SIGKILL, to the worker alone as the kernel would; another one takes its place."""
        victim = wait_until(self._find_eldest, timeout=30)
        os.kill(victim, signal.SIGKILL)
        self._killed.add(victim)
        wait_until(lambda: not process_exists(victim))

    def _find_eldest(self) -> int:
        """Return the process id of the worker that has lived longest; 0 without one."""
        workers = WorkerHeartbeat.objects.exclude(pid__in=self._killed).order_by("started_at")
        return workers.values_list("pid", flat=True).first() or 0


@dataclass(frozen=True, slots=True)
class Story:
    """What came of it."""

    entries: int
    deliveries: list[Delivery]
    unread: int
    kills: int
    lost: int
    seconds: float

    @property
    def by_number(self) -> dict[int, list[Delivery]]:
        grouped: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in self.deliveries:
            grouped[delivery.number].append(delivery)
        return grouped

    @property
    def repeats(self) -> int:
        return len(self.deliveries) - len(self.by_number)

    def check(self) -> None:
        """Raises AssertionError where a promise was broken."""
        assert all(delivery.verified for delivery in self.deliveries), "every signature verifies"
        assert set(self.by_number) == set(range(self.entries)), "every payload arrives"
        keys = {}
        for number, deliveries in self.by_number.items():
            assert any(d.accepted for d in deliveries), "and is accepted"
            (keys[number],) = {d.key for d in deliveries} | {d.webhook_id for d in deliveries}
        assert len(set(keys.values())) == self.entries, "a key of its own each"


def deliver(count: int, *, kills: int, seconds: float, seed: int = 1) -> Story:
    """Deliver ``count`` payloads while a worker is killed ``kills`` times in the middle of one.

    Raises AssertionError where they have not all succeeded within ``seconds``.
    """
    secret = create_secret()
    with Receiver(secret, seed=seed) as receiver, ExitStack() as stack:
        Endpoint.objects.create(slug="flaky", url=receiver.url, secret=secret)
        stack.enter_context(manage("dispatcher", **_CHILDREN))
        crew = Crew(stack)
        began = time.monotonic()
        _submit(count)
        for kill in range(1, kills + 1):
            _until_received(receiver, kill * count // (kills + 1), timeout=seconds)
            with receiver.holding():
                _until_all_are_inside(receiver)
                crew.kill_one()
        wait_until(_all_succeeded, timeout=seconds, what="every delivery succeeds")
        took = time.monotonic() - began
    return Story(
        entries=count,
        deliveries=receiver.received,
        unread=receiver.unread,
        kills=crew.kills,
        lost=Attempt.objects.filter(status="lost").count(),
        seconds=took,
    )


def _submit(count: int) -> None:
    assert count > settings.REDRIVE_CLICK_SIZE, "or they would go to another queue"
    items = [SourceItem(f"e-{n}", "", {"endpoint": "flaky", "number": n}) for n in range(count)]
    made = storage.upsert_entries(source_id=None, kind="webhook", items=items)
    assert submit_entries(made.created, actor=SCRIPT).queued == count


def _until_received(receiver: Receiver, some: int, *, timeout: float) -> None:
    wait_until(lambda: len(receiver.received) >= some, timeout=timeout)


def _until_all_are_inside(receiver: Receiver) -> None:
    """Every worker is in the middle of a delivery, unless one has nothing to do for a while."""
    with suppress(AssertionError):
        wait_until(lambda: receiver.inside >= WORKERS, timeout=5)


def _all_succeeded() -> bool:
    failed = Entry.objects.filter(status="failed").values_list("error_class", "error_message")
    assert not failed[:5], list(failed[:5])
    return not Entry.objects.exclude(status="succeeded").exists()
