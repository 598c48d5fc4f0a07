"""``/healthz`` and ``/readyz``, answered before anything that could itself be broken."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from retry import queue
from retry.errors import QueueUnavailable


class HealthMiddleware:
    """First in line: no host check, no session, no redirect stands between a probe and its answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return JsonResponse({"status": "ok"})
        if request.path == "/readyz":
            return ready()
        return self.get_response(request)


def ready() -> HttpResponse:
    """200 when PostgreSQL and Redis answer, 503 with what is missing otherwise."""
    missing = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError as error:
        missing["postgresql"] = type(error).__name__
        connection.close()
    try:
        queue.ping()
    except QueueUnavailable as error:
        missing["redis"] = str(error)
    if missing:
        return JsonResponse({"status": "unavailable", "missing": missing}, status=503)
    return JsonResponse({"status": "ok"})
