"""Reading the body of a request, within limits, as valid JSON."""

import json
from typing import IO, Any, NoReturn

from django.conf import settings
from django.http import HttpRequest

from retry.api.http.problems import Problem

#: How many bytes of a body that is too large are read and discarded. A client that is still
#: sending when the server closes the connection never sees the answer.
_PATIENCE = 16_000_000
_STEP = 64 * 1024


def read_json(request: HttpRequest, *, limit: int | None = None) -> bytes:
    """Read the body and check that it is JSON. Raises ``Problem`` 400, 411, 413 or 415.

    ``limit``: the bytes it may have, ``REDRIVE_API_MAX_BYTES`` unless given.
    """
    if request.content_type != "application/json":
        raise Problem(415, "unsupported_media_type")
    limit = limit or settings.REDRIVE_API_MAX_BYTES
    stream = _stream(request)
    try:
        body = stream.read(limit + 1)
        if len(body) > limit:
            _drain(stream, _PATIENCE)
    except Exception as error:
        # Each server has its own error for a body that is incomplete or badly chunked.
        raise Problem(400, "malformed_json", "The body is incomplete.") from error
    if len(body) > limit:
        raise Problem(413, "body_too_large", f"At most {limit:,} bytes are accepted.")
    _check(body)
    return body


def _stream(request: HttpRequest) -> IO[bytes] | HttpRequest:
    """Return the stream to read, also of a chunked body, which Django would take for empty.

    A server that knows where it ends (RFC 9112) says so in ``wsgi.input_terminated``.
    """
    if request.META.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" not in request.META:
        return request
    if not request.META.get("wsgi.input_terminated"):
        raise Problem(411, "length_required")
    stream: IO[bytes] = request.META["wsgi.input"]
    return stream


def _drain(stream: IO[bytes] | HttpRequest, at_most: int) -> None:
    while at_most > 0 and (part := stream.read(_STEP)):
        at_most -= len(part)


def _check(body: bytes) -> None:
    """Refuse what parsers disagree about: duplicate members, NaN, deep nesting."""
    try:
        json.loads(
            body.decode(),
            object_pairs_hook=_check_members,
            parse_constant=_refuse_constant,
            # Not converted here: a number may have a million digits.
            parse_int=len,
            parse_float=len,
        )
    except RecursionError:
        raise Problem(400, "malformed_json", "The body is nested too deeply.") from None
    except UnicodeDecodeError:
        raise Problem(400, "malformed_json", "The body is not UTF-8.") from None
    except ValueError as error:
        raise Problem(400, "malformed_json", str(error)[:300]) from None


def _check_members(pairs: list[tuple[str, Any]]) -> None:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            raise ValueError(f"The member {name[:50]!r} is given more than once.")
        seen.add(name)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")
