"""Answers about what is under way: waited for, and sent again only where they have changed."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags
from pydantic import BaseModel, BeforeValidator, Field

from entries.database.release import release_connection
from retry.api.http.resource import answer, parse_query
from retry.api.http.schemas import Query, check_digits
from retry.api.http.watch import MOST_SECONDS, Subject, watch

#: Seconds until it is worth asking again: where the end is not known, where too many wait, and at
#: most.
_SOON, _FULL, _LATEST = 2, 2, 30
#: And at least where it waits for a hold, which stands for minutes.
_HELD = 10


class WaitQuery(Query):
    """``wait``: seconds to wait at most until there is something to say."""

    wait: Annotated[int, Field(ge=0, le=MOST_SECONDS), BeforeValidator(check_digits)] = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """``settled``: nothing more happens by itself. ``eta``: seconds to the end, if known.
    ``held``: some of it waits for a hold.
    """

    model: BaseModel
    settled: bool
    eta: float | None = None
    held: bool = False


def answer_progress(
    request: HttpRequest, subject: Subject, id_: UUID | int, read: Callable[[], Reading]
) -> HttpResponse:
    """Answer with what ``read`` returns; with ``?wait=`` once it has settled, or time is up.

    ``Retry-After`` says when to ask again, and is missing where nothing happens by itself.
    """
    query = parse_query(request, WaitQuery)
    reading = read()
    if reading.settled or not query.wait:
        return _answer(request, reading, seconds=_find_seconds(reading))
    if not watch.wait(subject, id_, seconds=query.wait):
        return _answer(request, reading, seconds=_FULL)
    try:
        reading = read()
    finally:
        release_connection()  # of a thread that next waits as well
    return _answer(request, reading, seconds=0)


def _find_seconds(reading: Reading) -> int:
    if reading.eta is None:
        return _SOON
    return min(max(math.ceil(reading.eta / 4), 1), _LATEST)


def _answer(request: HttpRequest, reading: Reading, *, seconds: int) -> HttpResponse:
    response = answer(reading.model)
    etag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    if _is_known(etag, request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
        del response.headers["Content-Type"]
    response.headers["ETag"] = etag
    if not reading.settled:
        response.headers["Retry-After"] = str(max(seconds, _HELD if reading.held else 0))
    return response


def _is_known(etag: str, given: str) -> bool:
    """Tell whether the caller has it; a proxy that compresses makes a tag a weak one."""
    tags = parse_etags(given) if given else []
    return "*" in tags or etag in (tag.removeprefix("W/") for tag in tags)
