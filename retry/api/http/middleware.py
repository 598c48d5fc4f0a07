"""Keeps Django's own pages and redirects out of the API."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from retry.api.http import problems
from retry.api.http.problems import Problem
from retry.api.http.resource import as_problem

logger = logging.getLogger(__name__)

_JSON = ("application/json", "application/problem+json")


class ApiMiddleware:
    """Answer every request under the API with JSON, never redirected, never cached.

    It wraps all other middleware, because those have pages of their own: for a wrong host, for
    plain HTTP, for an error in one of them, and for ``DEBUG``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not problems.under_api(request):
            return self.get_response(request)
        response = self._answer(request)
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Language"] = "en"
        response.headers["X-Content-Type-Options"] = "nosniff"
        if response.status_code != 204:
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if settings.SECURE_SSL_REDIRECT and not request.is_secure():
            # A redirect would hide that the token was sent unencrypted.
            return Problem(403, "https_required").response()
        try:
            response = self.get_response(request)
        except Exception as error:  # noqa: BLE001 - Django's own error handling may fail
            return as_problem(error).response()
        content_type = response.headers.get("Content-Type", "")
        if response.status_code == 204 or content_type.startswith(_JSON):
            return response
        logger.warning("api.page_replaced", extra={"status": response.status_code})
        return problems.page_problem(response.status_code).response()
