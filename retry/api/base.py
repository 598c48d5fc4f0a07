"""What every API view does around its own few lines."""

import logging
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import BaseModel, ValidationError

from entries.errors import EntriesError
from retry.api import problems
from retry.api.auth import authenticate
from retry.api.problems import Problem
from retry.errors import RetryError
from retry.outcomes import Actor

logger = logging.getLogger(__name__)
M = TypeVar("M", bound=BaseModel)
P = ParamSpec("P")


def api_view(
    **methods: Callable[Concatenate[HttpRequest, Actor, P], HttpResponse],
) -> Callable[..., HttpResponse]:
    """One address: a function for each HTTP method, called with the request and its actor."""
    allowed = ", ".join(sorted(method.upper() for method in methods))

    @csrf_exempt  # checked in ``authenticate``, for sessions
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            actor = authenticate(request)
            method = methods.get((request.method or "").lower())
            if method is None:
                raise Problem(405, "method_not_allowed", headers={"Allow": allowed})
            return method(request, actor, *args, **kwargs)
        except Exception as error:
            return _problem(error).response()

    return view


def _problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, RetryError | EntriesError):
        return problems.of(error)
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("api.no_database", extra={"error": type(error).__name__})
        connection.close()
        return Problem(503, "database_unavailable", headers={"Retry-After": "5"})
    logger.exception("api.internal_error")
    return Problem(500, "internal_error")


def parse_body(request: HttpRequest, model: type[M]) -> M:
    """The body as ``model``. Raises ``Problem`` 400, 413, 415 or 422."""
    if request.content_type != "application/json":
        raise Problem(415, "unsupported_media_type")
    limit = settings.REDRIVE_API_MAX_BYTES
    try:
        declared = int(request.headers.get("Content-Length") or 0)
    except ValueError:
        declared = 0
    body = b"" if declared > limit else request.read(limit + 1)
    if declared > limit or len(body) > limit:
        raise Problem(413, "body_too_large", f"At most {limit:,} bytes are accepted.")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise _invalid(error) from None


def parse_query(request: HttpRequest, model: type[M]) -> M:
    """The query string as ``model``. Raises ``Problem`` 422, also where a field is given twice."""
    twice = [name for name, values in request.GET.lists() if len(values) > 1]
    if twice:
        raise problems.invalid([{"field": name, "message": "given more than once"} for name in twice])
    try:
        return model.model_validate(request.GET.dict())
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> Problem:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if any(item["type"] == "json_invalid" for item in found):
        return Problem(400, "malformed_json", str(found[0]["msg"])[:300])
    return problems.invalid(
        [
            {
                "field": ".".join(str(part) for part in item["loc"])[:200] or "body",
                "message": str(item["msg"])[:300],
            }
            for item in found[:50]
        ]
    )


def answer(model: BaseModel, *, status: int = 200) -> HttpResponse:
    return JsonResponse(
        model.model_dump(mode="json", by_alias=True),
        status=status,
        headers={"Cache-Control": "no-store"},
    )
