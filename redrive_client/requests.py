"""Requests, and when to send one again. Neither waits nor sends: both clients do that."""

import email.utils
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from redrive_client.problems import Problem

#: Answers that say "not now": nothing was done, or repeating it is safe.
_LATER = (429, 502, 503, 504)
#: Seconds between two attempts where the desk does not say how long.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 8.0


@dataclass(frozen=True, slots=True)
class Request:
    """``repeatable``: to send it twice is to send it once, also where no answer came.

    ``seconds``: how long the desk may take, beyond the client's own time limit.
    """

    method: str
    path: str
    query: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    key: str = ""
    etag: str = ""
    seconds: float = 0.0
    repeatable: bool = False

    def headers(self) -> dict[str, str]:
        found = {}
        if self.key:
            found["Idempotency-Key"] = self.key
        if self.etag:
            found["If-None-Match"] = self.etag
        return found


@dataclass(slots=True)
class Attempts:
    """How often a request was sent, and whether it is sent once more. ``patience``: seconds."""

    request: Request
    patience: float
    count: int = 0
    begin: float = 0.0

    def __post_init__(self) -> None:
        self.begin = time.monotonic()

    def pause_after_answer(self, answer: httpx2.Response) -> float | None:
        """Return the seconds until it is sent again; None where the answer is the answer."""
        if answer.status_code not in _LATER:
            return None
        if answer.status_code in {502, 504} and not self.request.repeatable:
            return None  # a proxy gave up, and the desk may have done it
        return self._pause(_read_retry_after(answer))

    def pause_after_failure(self) -> float | None:
        """Return the seconds until it is sent again after no answer; None where that is unsafe."""
        return self._pause(None) if self.request.repeatable else None

    def _pause(self, wanted: float | None) -> float | None:
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**self.count)
        self.count += 1
        # Many scripts that were refused together do not come back together.
        pause = random.uniform(longest / 2, longest) if wanted is None else wanted  # noqa: S311
        ends = time.monotonic() + pause - self.begin
        return pause if ends <= self.patience else None


def _read_retry_after(answer: httpx2.Response) -> float | None:
    """Read ``Retry-After``: seconds, or a date."""
    text = answer.headers.get("Retry-After", "")
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, at.timestamp() - time.time())


def read_answer(answer: httpx2.Response) -> dict[str, Any]:
    """Return what the desk says. Raises ``Problem`` where it refuses."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if answer.is_success and isinstance(found, dict):
        return found
    if not isinstance(found, dict):
        found = {"code": f"http_{answer.status_code}", "detail": "This is not the desk's API."}
    raise Problem(
        status=answer.status_code,
        answer=found,
        request_id=answer.headers.get("X-Request-ID", ""),
    )
