"""Authentication: a token, or a staff session with CSRF."""

from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from entries.request_ids import get_id
from retry.access import tokens
from retry.access.tokens import Bearer
from retry.api.http.problems import Problem
from retry.api.http.throttle import unknown_tokens
from retry.outcomes import Actor, Channel, Reach

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="redrive"'}
_FORMS = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})


@dataclass(frozen=True, slots=True)
class Caller:
    actor: Actor
    #: A browser sends its session with forged requests, too, so those need a CSRF check.
    by_session: bool


def authenticate(request: HttpRequest) -> Caller:
    """Find the staff user of a request. Raises ``Problem`` 401 or 403; never redirects.

    A token wins over a session. Other schemes of ``Authorization`` are ignored: a proxy with its
    own password leaves its header in the request.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    by_token = scheme.lower() == "bearer"
    bearer = _by_token(request, token.strip()) if by_token else _by_session(request)
    if not bearer.user.is_staff:
        raise Problem(403, "permission_denied", "The JSON API is for staff.")
    request.user = bearer.user
    actor = Actor.from_user(
        bearer.user,
        channel=Channel.API,
        request_id=get_id(),
        reach=bearer.reach,
        token=bearer.token,
    )
    return Caller(actor, by_session=not by_token)


def check_csrf(request: HttpRequest) -> None:
    """Run Django's own check, with the token as a header. Raises ``Problem`` 403 or 415."""
    if request.content_type in _FORMS and request.method == "POST":
        # Django would read the whole form to find the token.
        raise Problem(415, "unsupported_media_type")
    reason = _Csrf(_unreachable).find_reason(request)
    if reason:
        raise Problem(403, "csrf_failed", reason)


def _by_token(request: HttpRequest, token: str) -> Bearer:
    bearer = tokens.find_bearer(token)
    if bearer is None:
        unknown_tokens.count(str(request.META.get("REMOTE_ADDR", "")))
        raise Problem(
            401, "not_authenticated", "The token is unknown or expired.", headers=_CHALLENGE
        )
    return bearer


def _by_session(request: HttpRequest) -> Bearer:
    if not request.user.is_authenticated:
        raise Problem(401, "not_authenticated", headers=_CHALLENGE)
    return Bearer(request.user, Reach())


class _Csrf(CsrfViewMiddleware):
    """Django's own check as a function; the views are exempt, because tokens need none."""

    def find_reason(self, request: HttpRequest) -> str | None:
        self.process_request(request)
        return cast("str | None", self.process_view(request, _not_exempt, (), {}))

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def _unreachable(_request: HttpRequest) -> HttpResponse:
    raise AssertionError("only the check runs; the request is never passed on")


def _not_exempt(_request: HttpRequest) -> HttpResponse:
    """A view without ``csrf_exempt``, which the check inspects."""
    raise AssertionError("never called")
