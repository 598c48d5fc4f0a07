"""HTTP requests of kinds of source."""

import re
from typing import TypedDict

from entries.errors import SourceError
from entries.net import Answer, FetchError, RequestRefused, ServerUnavailable, fetch
from entries.sources.base import SourceSpec

_VALIDATOR = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_GONE = frozenset({404, 410})
#: Answers with only a part of the content.
_PARTS = frozenset({206, 226})


def get(
    url: str, *, accept: str, seconds: float, max_bytes: int, validators: SourceSpec | None = None
) -> Answer:
    """GET a 2xx answer, or a 304 where ``validators`` has any. Raises ``SourceError``."""
    headers = {"Accept": accept}
    if validators is not None and validators.etag:
        headers["If-None-Match"] = validators.etag
    if validators is not None and validators.last_modified:
        headers["If-Modified-Since"] = validators.last_modified
    try:
        answer = fetch(url, seconds=seconds, max_bytes=max_bytes, headers=headers)
    except RequestRefused as error:
        raise (NotThere if error.status in _GONE else SourceError)(
            error.code, str(error)
        ) from error
    except FetchError as error:
        after = error.retry_after if isinstance(error, ServerUnavailable) else None
        raise SourceError(error.code, str(error), retry_after=after) from error
    if answer.status in _PARTS:
        raise SourceError(
            "http_error", f"HTTP {answer.status}: only a part, which was not requested"
        )
    return answer


class NotThere(SourceError):
    """The answer was 404 or 410."""


class Validators(TypedDict):
    etag: str
    last_modified: str


def read_validators(answer: Answer) -> Validators:
    """Return the validators of an answer as a ``Reading`` takes them."""
    return {
        "etag": _validator(answer, "etag", limit=500),
        "last_modified": _validator(answer, "last-modified", limit=200),
    }


def _validator(answer: Answer, name: str, *, limit: int) -> str:
    """Return a header's value; empty where it fits neither into a request nor into its column."""
    value: str = answer.headers.get(name, "").strip()
    return value if len(value) <= limit and _VALIDATOR.fullmatch(value) else ""
