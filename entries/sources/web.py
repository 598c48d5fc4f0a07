"""What kinds of source that read over http have in common."""

import re
from typing import TypedDict

from entries.errors import SourceError
from entries.net import Answer, FetchError, RequestRefused, ServerUnavailable, fetch
from entries.sources.base import SourceSpec

_VALIDATOR = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
_GONE = frozenset({404, 410})
#: Answers that are not the whole.
_PARTS = frozenset({206, 226})


def get(
    url: str, *, accept: str, seconds: float, max_bytes: int, validators: SourceSpec | None = None
) -> Answer:
    """The answer: a 2xx, or a 304 where ``validators`` has any. Raises ``SourceError``."""
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
        raise SourceError("http_error", f"HTTP {answer.status}: a part that nobody asked for")
    return answer


class NotThere(SourceError):
    """404 or 410."""


class Validators(TypedDict):
    etag: str
    last_modified: str


def validators_of(answer: Answer) -> Validators:
    """For the ``Reading``, to be sent back next time."""
    return {
        "etag": _validator(answer, "etag", limit=500),
        "last_modified": _validator(answer, "last-modified", limit=200),
    }


def _validator(answer: Answer, name: str, *, limit: int) -> str:
    """What the next request may send back; empty where it does not fit into a header or column."""
    value: str = answer.headers.get(name, "").strip()
    return value if len(value) <= limit and _VALIDATOR.fullmatch(value) else ""
