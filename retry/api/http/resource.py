"""What every API view shares: authentication, CSRF, parsing, errors."""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.core.exceptions import SuspiciousOperation
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ValidationError

from entries.errors import EntriesError
from entries.request_ids import get_id
from retry import audit
from retry.api.http import problems
from retry.api.http.auth import authenticate, check_csrf
from retry.api.http.body import read_json
from retry.api.http.problems import Problem
from retry.api.http.schemas import NoQuery
from retry.errors import NotPermitted, RetryError
from retry.outages import Outage, classify_outage
from retry.outcomes import Actor

logger = logging.getLogger(__name__)
M = TypeVar("M", bound=BaseModel)
P = ParamSpec("P")


def api_view(
    **methods: Callable[Concatenate[HttpRequest, Actor, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """Make the view of one address from a function for each HTTP method.

    Each is called with the request and its actor. Without any, the address does not exist.
    """
    if "get" in methods:
        methods["head"] = methods["get"]  # Django leaves the body out

    @csrf_exempt  # checked below, for sessions
    @translation.override(None)  # scripts are answered in English, whatever a browser asks for
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        caller = None
        try:
            caller = authenticate(request)
            method = _choose(request, methods)
            if caller.by_session:
                check_csrf(request)
            return method(request, caller.actor, *args, **kwargs)
        except NotPermitted as error:
            if caller is not None and request.method == "POST":
                _note_refusal(request, caller.actor, error)
            return as_problem(error).response()
        except Exception as error:  # noqa: BLE001 - scripts get a problem for every error
            return as_problem(error).response()

    return view


def _note_refusal(request: HttpRequest, actor: Actor, error: NotPermitted) -> None:
    """Audit a refusal, within the bounds of the audit. Never raises."""
    try:
        what = f"{request.method} {request.path}"
        audit.record_refusal(what, actor=actor, permission=error.permission)
    except DatabaseError:
        logger.warning("audit.unnoted", extra={"refused": error.permission})


def _choose(
    request: HttpRequest, methods: Mapping[str, Callable[..., HttpResponse]]
) -> Callable[..., HttpResponse]:
    if not methods:
        raise Problem(404, "not_found")
    allowed = ", ".join(sorted(method.upper() for method in [*methods, "options"]))
    if request.method == "OPTIONS":
        return lambda *_, **__: _options(allowed)
    method = methods.get((request.method or "").lower())
    if method is None:
        raise Problem(405, "method_not_allowed", headers={"Allow": allowed})
    return method


def _options(allowed: str) -> HttpResponse:
    response = HttpResponse(status=204, headers={"Allow": allowed})
    del response.headers["Content-Type"]
    return response


def as_problem(error: Exception) -> Problem:
    """Translate any error; a bug is logged and answered as ``internal_error``."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RetryError | EntriesError):
        problem = problems.refusal_problem(error)
        return problem if problem.status != 500 else _internal(error)
    outage = classify_outage(error)
    if outage is Outage.AWAY:
        logger.warning("api.no_database", extra={"error": type(error).__name__})
        connection.close()
    if outage is not None:
        return problems.outage_problem(outage)
    if isinstance(error, SuspiciousOperation):
        return Problem(400, "bad_request")
    return _internal(error)


def _internal(error: Exception) -> Problem:
    # The caller learns nothing of the error but the id under which the log has it.
    logger.error("api.internal_error", exc_info=error)
    return Problem(500, "internal_error", extra={"request_id": get_id()})


def parse_body(request: HttpRequest, model: type[M], *, limit: int | None = None) -> M:
    """Parse the body of a request that takes no query string.

    ``limit``: the bytes it may have, ``REDRIVE_API_MAX_BYTES`` unless given. Raises ``Problem``
    400, 411, 413, 415 or 422.
    """
    refuse_query(request)
    body = read_json(request, limit=limit)
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _as_invalid(error) from None


def refuse_query(request: HttpRequest) -> None:
    """Raises ``Problem`` 422 for any parameter: the caller meant something by it."""
    parse_query(request, NoQuery)


def parse_query(request: HttpRequest, model: type[M]) -> M:
    """Parse the query string. Raises ``Problem`` 422, also where a field is given twice."""
    # Not request.GET, which is decoded in the charset that the request claims.
    raw = str(request.META.get("QUERY_STRING", "")).encode("latin-1")  # as WSGI has it (PEP 3333)
    given = QueryDict(raw, encoding="utf-8")
    twice = [name for name, values in given.lists() if len(values) > 1]
    if twice:
        raise problems.invalid_request(
            [{"field": name[:200], "message": "given more than once"} for name in twice[:50]]
        )
    try:
        return model.model_validate(given.dict())
    except ValidationError as error:
        raise _as_invalid(error) from None


def _as_invalid(error: ValidationError) -> Problem:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if any(item["type"] == "json_invalid" for item in found):
        return Problem(400, "malformed_json", str(found[0]["msg"])[:300])
    return problems.invalid_request(
        [
            {
                "field": _name_field(item["loc"]),
                "message": item["msg"].removeprefix("Value error, ")[:300],
            }
            for item in found[:50]
        ]
    )


def _name_field(location: tuple[int | str, ...]) -> str:
    # What is wrong with a name is reported at "[key]" below it.
    return ".".join(str(part) for part in location if part != "[key]")[:200] or "body"


def answer(model: BaseModel, *, status: int = 200) -> HttpResponse:
    return HttpResponse(
        model.model_dump_json(by_alias=True), status=status, content_type="application/json"
    )
