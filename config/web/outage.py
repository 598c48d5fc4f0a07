"""A page that explains an outage of the database.

API clients get a problem instead, from ``retry.api``.
"""

import logging
import sys
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from retry.outages import Outage, classify_outage

logger = logging.getLogger(__name__)

_RETRY_AFTER_SECONDS = {Outage.AWAY: 5, Outage.BUSY: 3, Outage.TOO_SLOW: 30}


class OutageMiddleware:
    """Handles what views raise; errors of other middleware reach ``error_page``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        outage = classify_outage(error)
        return None if outage is None else _page(outage, error)


def error_page(request: HttpRequest) -> HttpResponse:
    """Render Django's ``handler500``; called while the error is being handled."""
    error = sys.exc_info()[1]
    outage = None if error is None else classify_outage(error)
    if error is None or outage is None:
        return server_error(request)
    return _page(outage, error)


def _page(outage: Outage, error: BaseException) -> HttpResponse:
    logger.warning("web.%s", outage.value, extra={"error": type(error).__name__})
    if outage is Outage.AWAY:
        connection.close()
    # Without the request: the admin's header and menus would query the database.
    page = render_to_string("redrive/outage.html", {"outage": outage.value})
    headers = {"Retry-After": str(_RETRY_AFTER_SECONDS[outage]), "Cache-Control": "no-store"}
    return HttpResponse(page, status=503, headers=headers)
