"""Errors as ``application/problem+json`` (RFC 9457): the one place that knows HTTP statuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.csrf import csrf_failure as django_csrf_failure

from entries.errors import EntriesError, SourceError
from retry import errors

API_PREFIX = "/admin/api/"

_TITLES = {
    "malformed_json": "The body is not valid JSON.",
    "not_authenticated": "Log in, or send a token.",
    "permission_denied": "You may not do this.",
    "csrf_failed": "The CSRF token is missing or wrong.",
    "not_found": "There is nothing here.",
    "entry_not_found": "There is no such entry.",
    "source_not_found": "There is no such source.",
    "method_not_allowed": "This address does not take that method.",
    "not_failed": "The entry has not failed.",
    "already_queued": "The entry is queued already.",
    "already_running": "The entry is running already.",
    "already_scheduled": "The entry's automatic retry is scheduled already.",
    "too_many_entries": "These are too many entries for one call.",
    "body_too_large": "The body is too large.",
    "unsupported_media_type": "Send application/json.",
    "invalid_request": "The request does not have the right shape.",
    "source_error": "The source cannot be read.",
    "internal_error": "Something went wrong here.",
    "database_unavailable": "The database cannot be reached.",
    "queue_unavailable": "Redis cannot be reached.",
    "refused": "This was refused.",
}

#: Every error of the domain -> its HTTP status. A test proves that none is missing.
STATUSES: Mapping[type[Exception], int] = {
    errors.RetryError: 409,
    errors.NotPermitted: 403,
    errors.EntryNotFound: 404,
    errors.SourceNotFound: 404,
    errors.NotRetryable: 409,
    errors.TooManyEntries: 422,
    errors.QueueUnavailable: 503,
    EntriesError: 422,
    SourceError: 422,
}


@dataclass(eq=False)
class Problem(Exception):
    """Raise it anywhere below an API view. ``extra`` members stand beside the standard ones."""

    status: int
    code: str
    detail: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        title = _TITLES[self.code]
        body = {
            "type": f"urn:redrive:problem:{self.code}",
            "title": title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail or title,
            **self.extra,
        }
        return JsonResponse(
            body,
            status=self.status,
            content_type="application/problem+json",
            headers={"Cache-Control": "no-store", **self.headers},
        )


def invalid(items: Sequence[Mapping[str, str]]) -> Problem:
    """``items``: one ``{"field", "message"}`` for each thing that is wrong."""
    return Problem(422, "invalid_request", extra={"errors": list(items)})


def of(error: errors.RetryError | EntriesError) -> Problem:
    """The problem that says what the domain refused."""
    status = next(STATUSES[cls] for cls in type(error).__mro__ if cls in STATUSES)
    if isinstance(error, errors.NotRetryable):
        extra = {"status_of_entry": error.status.value, "entry_id": error.entry_id}
        return Problem(status, error.reason.value, str(error), extra)
    if isinstance(error, errors.RetryError):
        return Problem(status, error.code, str(error))
    return Problem(status, "source_error", str(error))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF page for people, a problem for scripts."""
    if request.path.startswith(API_PREFIX):
        return Problem(403, "csrf_failed", reason).response()
    return django_csrf_failure(request, reason=reason)
