"""Who calls: a staff session with CSRF, or a token."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import structlog
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from retry.access import tokens
from retry.api.http.problems import Problem
from retry.api.http.throttle import unknown_tokens
from retry.outcomes import Actor, Channel

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="redrive"'}
_FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})


@dataclass(frozen=True, slots=True)
class Caller:
    actor: Actor
    #: Only what a browser sends along unasked has to be guarded against forgery.
    by_session: bool


def authenticate(request: HttpRequest) -> Caller:
    """Raises ``Problem`` 401 or 403; never redirects to a login page.

    A token wins over a session. Other schemes of ``Authorization`` are passed over: a proxy that
    asks for a password of its own leaves its header in the request.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    by_token = scheme.lower() == "bearer"
    user = _by_token(request, token.strip()) if by_token else _by_session(request)
    if not user.is_staff:
        raise Problem(403, "permission_denied", "The JSON API is for staff.")
    request.user = user
    request_id = str(structlog.contextvars.get_contextvars().get("request_id", ""))
    actor = Actor.from_user(user, channel=Channel.API, request_id=request_id)
    return Caller(actor, by_session=not by_token)


def check_csrf(request: HttpRequest) -> None:
    """Raises ``Problem`` 403 where Django's own check says no. The token travels as a header."""
    if request.content_type in _FORMS and request.method == "POST":
        # Django would read the whole form to look for the token in it.
        raise Problem(415, "unsupported_media_type")
    reason = _Csrf(_never).why(request)
    if reason:
        raise Problem(403, "csrf_failed", reason)


def _by_token(request: HttpRequest, token: str) -> "User":
    user = tokens.find_user(token)
    if user is None:
        unknown_tokens.count(str(request.META.get("REMOTE_ADDR", "")))
        raise Problem(401, "not_authenticated", "The token is not known.", headers=_CHALLENGE)
    return user


def _by_session(request: HttpRequest) -> "User":
    if not request.user.is_authenticated:
        raise Problem(401, "not_authenticated", headers=_CHALLENGE)
    return request.user


class _Csrf(CsrfViewMiddleware):
    """Django's own check, asked for its verdict. The views are exempt so that tokens need none."""

    def why(self, request: HttpRequest) -> str | None:
        self.process_request(request)
        return cast("str | None", self.process_view(request, _checked, (), {}))

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def _never(_request: HttpRequest) -> HttpResponse:
    raise AssertionError("the middleware is only asked, it never passes the request on")


def _checked(_request: HttpRequest) -> HttpResponse:
    """A view without ``csrf_exempt``, for the check to look at."""
    raise AssertionError("never called")
