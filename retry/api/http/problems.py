"""Errors as ``application/problem+json`` (RFC 9457): the one place that knows HTTP statuses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.csrf import csrf_failure as django_csrf_failure

from entries import errors as entries_errors
from entries.errors import EntriesError
from entries.names import list_kinds
from retry import errors
from retry.access import errors as access_errors
from retry.error_groups import errors as group_errors
from retry.holds import errors as hold_errors
from retry.notices import errors as notice_errors
from retry.operations import errors as operation_errors
from retry.outages import Outage

TITLES: Mapping[str, str] = {
    "malformed_json": "The body is not valid JSON.",
    "bad_request": "The request is invalid.",
    "not_authenticated": "Log in or send a token.",
    "permission_denied": "You do not have the permission.",
    "forbidden": "You do not have the permission for this entry.",
    "csrf_failed": "The CSRF token is missing or wrong.",
    "https_required": "Use HTTPS.",
    "not_found": "There is nothing at this address.",
    "entry_not_found": "The entry does not exist.",
    "operation_not_found": "The operation does not exist.",
    "run_not_found": "The run does not exist.",
    "source_not_found": "The source does not exist.",
    "sync_not_found": "The sync does not exist.",
    "hold_not_found": "The hold does not exist.",
    "error_group_not_found": "The error group does not exist.",
    "wrong_group_state": "The state of the error group does not allow it.",
    "proof_under_way": "A proof of the error group is under way.",
    "already_on_hold": "It is already on hold.",
    "end_in_the_past": "The hold would end in the past.",
    "hold_lifted": "The hold was already lifted.",
    "no_upstreams": "The kind has no upstreams.",
    "method_not_allowed": "This address does not support the method.",
    "not_failed": "The entry has not failed.",
    "not_pending": "The entry is not pending.",
    "already_queued": "The entry is already queued.",
    "already_running": "The entry is already running.",
    "already_scheduled": "The entry is already scheduled for its next attempt.",
    "not_discardable": "The entry cannot be discarded.",
    "not_discarded": "The entry is not discarded.",
    "not_scheduled": "The entry is not scheduled for an attempt.",
    "no_source": "The entry has no source to resync from.",
    "unchanged": "The entry already has this content.",
    "discarded": "The entry is discarded.",
    "other_kind": "The entry exists with another kind.",
    "repair_misfit": "The repair does not fit the payload.",
    "changed_since": "The entry has been changed since.",
    "entry_changed": "The entry has changed meanwhile.",
    "content_refused": "The content is refused.",
    "operation_finished": "The operation has finished.",
    "operation_begun": "The operation has begun.",
    "awaiting_approval": "The operation awaits approval.",
    "not_awaiting_approval": "The operation does not await approval.",
    "own_operation": "Another user has to approve the operation.",
    "approved_as_it_is": "The operation was approved as it is.",
    "idempotency_key_reused": "The idempotency key was used for another request.",
    "source_disabled": "The source is disabled.",
    "refused": "The request was refused.",
    "length_required": "Send a Content-Length header.",
    "body_too_large": "The body is too large.",
    "unsupported_media_type": "Send Content-Type: application/json.",
    "invalid_request": "The request has invalid fields.",
    "invalid_cursor": "The cursor does not belong to this list.",
    "empty_selection": "The selection is empty.",
    "too_many_entries": "Too many entries for one call.",
    "unknown_kind": "No kind with that name is installed.",
    "unknown_source": "No source has that slug.",
    "unknown_source_kind": "No kind of source with that name is installed.",
    "source_error": "The source cannot be read.",
    "view_not_found": "There is no saved view with this id.",
    "view_refused": "The view cannot be saved so.",
    "token_not_found": "The token does not exist.",
    "token_refused": "The token cannot be made so.",
    "subscription_not_found": "The subscription does not exist.",
    "subscription_refused": "The subscription lacks an event or a target that is known.",
    "internal_error": "Something went wrong on the server.",
    "database_unavailable": "The database cannot be reached.",
    "database_busy": "Another request is changing the same rows. Try again.",
    "queue_unavailable": "Redis cannot be reached.",
    "too_many_attempts": "Too many attempts with unknown tokens from this address.",
    "too_many_requests": "Too many requests in a minute.",
    "too_many_operations": "You have too many operations open.",
    "too_busy": "The server is receiving too much at the moment. Try again.",
    "query_timed_out": "The query took too long and was stopped.",
}

_NARROW = (
    "The query took too long and was stopped; nothing was changed. "
    "Narrow the filter by a status, a source, a kind or a time of failure."
)

#: What the service refuses -> HTTP status. A test checks that every class has its own line.
STATUSES: Mapping[type[errors.RetryError], int] = {
    errors.RetryError: 409,
    errors.NotPermitted: 403,
    errors.EmptySelection: 422,
    errors.NoSuchName: 422,
    errors.NoSuchSource: 422,
    errors.NoSuchKind: 422,
    errors.NothingEligible: 409,
    errors.EntryNotFound: 404,
    errors.SourceNotFound: 404,
    errors.SourceDisabled: 409,
    errors.SyncNotFound: 404,
    errors.ImportNotFound: 404,
    errors.UploadRefused: 422,
    errors.NotConfirmable: 409,
    hold_errors.HoldNotFound: 404,
    hold_errors.AlreadyOnHold: 409,
    hold_errors.EndInThePast: 422,
    hold_errors.HoldLifted: 409,
    hold_errors.NoUpstreams: 422,
    group_errors.ErrorGroupNotFound: 404,
    group_errors.WrongGroupState: 409,
    group_errors.InvalidMute: 422,
    group_errors.ProofUnderWay: 409,
    errors.NotRetryable: 409,
    errors.EntryChanged: 409,
    errors.ContentRefused: 422,
    errors.RepairRefused: 422,
    errors.OperationFinished: 409,
    errors.OperationNotFound: 404,
    errors.RunNotFound: 404,
    operation_errors.OperationBegun: 409,
    operation_errors.AwaitingApproval: 409,
    operation_errors.NotAwaitingApproval: 409,
    operation_errors.OwnOperation: 409,
    operation_errors.ApprovedAsItIs: 409,
    operation_errors.TooManyOperations: 409,
    errors.IdempotencyKeyReused: 422,
    errors.TooManyEntries: 422,
    errors.InvalidItems: 422,
    errors.TooManyToExport: 422,
    errors.ViewNotFound: 404,
    errors.ViewRefused: 422,
    access_errors.TokenNotFound: 404,
    access_errors.TokenRefused: 422,
    notice_errors.SubscriptionNotFound: 404,
    notice_errors.SubscriptionRefused: 422,
    errors.QueueUnavailable: 503,
}

#: What is wrong with an entry or a source -> HTTP status and code. The errors of an attempt are
#: recorded with it; one that reaches a response is a bug.
FROM_ENTRIES: Mapping[type[EntriesError], tuple[int, str]] = {
    EntriesError: (500, "internal_error"),
    entries_errors.TransientError: (500, "internal_error"),
    entries_errors.PermanentError: (500, "internal_error"),
    entries_errors.WorkerLost: (500, "internal_error"),
    entries_errors.InvalidKind: (500, "internal_error"),
    entries_errors.UnknownKind: (422, "unknown_kind"),
    entries_errors.UnknownSourceKind: (422, "unknown_source_kind"),
    entries_errors.SourceError: (422, "source_error"),
}


@dataclass(eq=False)
class Problem(Exception):
    """An error response; raise it anywhere below an API view.

    ``extra``: members beside the standard ones.
    """

    status: int
    code: str
    detail: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> HttpResponse:
        title = TITLES[self.code]
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
            headers=dict(self.headers),
        )


def invalid_request(items: Sequence[Mapping[str, str]]) -> Problem:
    """``items``: one ``{"field", "message"}`` for each mistake."""
    return Problem(422, "invalid_request", extra={"errors": list(items)})


def refusal_problem(error: errors.RetryError | EntriesError) -> Problem:
    """Translate what the domain refused."""
    if isinstance(error, EntriesError):
        status, code = next(FROM_ENTRIES[c] for c in type(error).__mro__ if c in FROM_ENTRIES)
        known = {"known": list_kinds()} if isinstance(error, entries_errors.UnknownKind) else {}
        return Problem(status, code, "" if status == 500 else str(error), known)
    status = next(STATUSES[c] for c in type(error).__mro__ if c in STATUSES)
    if isinstance(error, errors.NotRetryable):
        extra = {"entry_id": error.entry_id, "current_status": error.status.value}
        return Problem(status, error.reason.value, str(error), extra)
    if isinstance(error, errors.NoSuchName | errors.SourceNotFound) and error.known:
        return Problem(status, error.code, str(error), {"known": list(error.known)})
    if isinstance(error, errors.InvalidItems):
        return Problem(status, error.code, str(error), {"errors": error.as_fields()})
    return Problem(status, error.code, str(error))


def outage_problem(outage: Outage) -> Problem:
    """Translate a database that did not answer, or not in time; the request changed nothing."""
    if outage is Outage.TOO_SLOW:
        return Problem(503, outage.value, _NARROW)
    seconds = "5" if outage is Outage.AWAY else "2"
    return Problem(503, outage.value, headers={"Retry-After": seconds})


def page_problem(status: int) -> Problem:
    """Translate a page that Django would have answered with ``status``."""
    if status == 503:
        return outage_problem(Outage.AWAY)
    codes = {400: "bad_request", 403: "permission_denied", 404: "not_found", 413: "body_too_large"}
    return Problem(status, codes[status]) if status in codes else Problem(500, "internal_error")


def under_api(request: HttpRequest) -> bool:
    return path_under_api(request.path_info)


def path_under_api(path: str) -> bool:
    prefix = settings.REDRIVE_API_PATH
    return path == prefix or path.startswith(f"{prefix}/")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer with Django's CSRF page, or under the API with a problem."""
    if under_api(request):
        return Problem(403, "csrf_failed", reason).response()
    return django_csrf_failure(request, reason=reason)
