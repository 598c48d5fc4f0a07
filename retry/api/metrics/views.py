"""``GET /metrics``: the metrics for those who may see the numbers of everything.

It is no address of the JSON API: its middleware calls it, ahead of host checks and redirects.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.crypto import constant_time_compare
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from structlog.contextvars import unbind_contextvars

from retry.access.permissions import VIEW_METRICS
from retry.access.visibility import sees_everything
from retry.api.http.auth import authenticate
from retry.api.http.problems import Problem
from retry.api.http.rates import check_rate
from retry.api.http.resource import as_problem
from retry.metrics.collector import DeskCollector

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="redrive"'}


@translation.override(None)
def show_metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape in the format that it prefers; every error is a problem."""
    try:
        check_rate(request)
        _authorize(request)
        encode, content_type = _choose_format(request.headers.get("Accept", ""))
        response = HttpResponse(encode(DeskCollector()), content_type=content_type)
    except Exception as error:  # noqa: BLE001 - a scraper gets a problem for every error
        response = as_problem(error).response()
    finally:
        # The middleware that clears the context of a request is behind this one.
        unbind_contextvars("token_id")
    for name, value in _HEADERS.items():
        response.headers[name] = value
    return response


def _authorize(request: HttpRequest) -> None:
    """Raises ``Problem`` 401, 403 or 405, and ``NotPermitted``."""
    if request.method not in {"GET", "HEAD"}:
        raise Problem(405, "method_not_allowed", headers={"Allow": "GET, HEAD"})
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Problem(401, "not_authenticated", "Send a token.", headers=_CHALLENGE)
    own = settings.REDRIVE_METRICS_TOKEN
    if own and constant_time_compare(token.strip(), own):
        return  # it opens nothing else, and so may be sent within a private network
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        raise Problem(403, "https_required")
    actor = authenticate(request).actor
    actor.require(VIEW_METRICS)
    if not sees_everything(actor):
        why = "Metrics are about all sources; there are some that this token does not see."
        raise Problem(403, "permission_denied", why)


def _choose_format(accept: str) -> tuple[Callable[[Collector], bytes], str]:
    try:
        return choose_encoder(accept)
    except (TypeError, ValueError):  # a version that is no number
        return choose_encoder("")
