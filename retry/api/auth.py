"""Who calls: a staff session with CSRF, or a token."""

from typing import TYPE_CHECKING, cast

import structlog
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from retry import tokens
from retry.api.problems import Problem
from retry.outcomes import Actor, Doorway

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="redrive"'}


def authenticate(request: HttpRequest) -> Actor:
    """The actor of a request. Raises ``Problem`` 401 or 403; never redirects to a login page."""
    header = request.headers.get("Authorization", "")
    user = _by_token(header) if header else _by_session(request)
    if not user.is_staff:
        raise Problem(403, "permission_denied", "The JSON API is for staff.")
    request.user = user
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    return Actor.of(user, doorway=Doorway.API, request_id=request_id)


def _by_token(header: str) -> "User":
    scheme, _, token = header.partition(" ")
    user = tokens.user_of(token.strip()) if scheme.lower() == "bearer" else None
    if user is None:
        raise Problem(401, "not_authenticated", "The token is not known.", headers=_CHALLENGE)
    return user


def _by_session(request: HttpRequest) -> "User":
    if not request.user.is_authenticated:
        raise Problem(401, "not_authenticated", headers=_CHALLENGE)
    reason = _Csrf(_never).why(request)
    if reason:
        raise Problem(403, "csrf_failed", reason)
    return cast("User", request.user)


class _Csrf(CsrfViewMiddleware):
    """Django's own check, asked for its verdict. The views are exempt so that tokens need none."""

    def why(self, request: HttpRequest) -> str | None:
        self.process_request(request)
        return cast("str | None", self.process_view(request, _checked, (), {}))

    def _reject(self, request: HttpRequest, reason: str) -> str:  # type: ignore[override]
        return reason


def _never(request: HttpRequest) -> HttpResponse:
    raise AssertionError("the middleware is only asked, it never passes the request on")


def _checked(request: HttpRequest) -> HttpResponse:
    """A view without ``csrf_exempt``, for the check to look at."""
    raise AssertionError("never called")
