"""``/healthz``, ``/readyz`` and ``/metrics``, answered ahead of everything that could be broken."""

import threading
import time
from collections.abc import Callable, Mapping

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from retry import queue
from retry.api.metrics.views import show_metrics
from retry.errors import QueueUnavailable

#: Seconds a store has to answer. Probes wait little longer (Kubernetes: one second).
PATIENCE = 0.8


class HealthMiddleware:
    """The first middleware: no host check, session or redirect comes before a probe's answer, nor
    before that to a scrape, which names the process by its address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return _respond({"status": "ok"}, status=200)
        if request.path_info == "/readyz":
            return check_readiness()
        if request.path_info == "/metrics":
            return show_metrics(request)
        return self.get_response(request)


def check_readiness() -> HttpResponse:
    """Return 200 when PostgreSQL and Redis answer in time, else 503 with what is missing."""
    answers = {name: check.begin() for name, check in CHECKS.items()}
    missing = {name: wrong for name, wait in answers.items() if (wrong := wait())}
    if missing:
        return _respond({"status": "unavailable", "missing": missing}, status=503)
    return _respond({"status": "ok"}, status=200)


class Check:
    """A check of a store, in a thread of its own because it may never be answered.

    One is open at a time: probes come every few seconds, and a store that hangs must not fill the
    process with threads. ``question`` returns what is wrong, or "".
    """

    def __init__(self, question: Callable[[], str]) -> None:
        self._question = question
        self._lock = threading.Lock()
        self._open: _Question | None = None

    def begin(self) -> Callable[[], str]:
        """Start the check; the function it returns waits for the result."""
        deadline = time.monotonic() + PATIENCE
        with self._lock:
            if self._open is None or self._open.answered.is_set():
                self._open = _Question(self._question)
            opened = self._open
        return lambda: opened.wait(deadline)


class _Question:
    def __init__(self, question: Callable[[], str]) -> None:
        self.answered = threading.Event()
        self._wrong = ""
        self._question = question
        threading.Thread(target=self._ask, name="health", daemon=True).start()

    def _ask(self) -> None:
        try:
            self._wrong = self._question()
        except Exception as error:  # noqa: BLE001 - any error makes the store unusable
            self._wrong = type(error).__name__
        finally:
            self.answered.set()

    def wait(self, deadline: float) -> str:
        if not self.answered.wait(max(0.0, deadline - time.monotonic())):
            return f"no answer within {PATIENCE:g} s"
        return self._wrong


def _postgresql() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError as error:
        return type(error).__name__
    finally:
        connection.close()  # it belongs to this thread, which ends
    return ""


def _redis() -> str:
    try:
        queue.ping()
    except QueueUnavailable as error:
        return str(error)
    return ""


CHECKS: Mapping[str, Check] = {"postgresql": Check(_postgresql), "redis": Check(_redis)}


def _respond(body: Mapping[str, object], *, status: int) -> HttpResponse:
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})
