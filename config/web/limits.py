"""Limits on what a client may send, and how slowly."""

import threading
from dataclasses import dataclass
from urllib.parse import parse_qs

from django.conf import settings

from entries import upload_pass

#: Seconds until the headers are complete, from the first byte or the connection.
HEADER_SECONDS = 10.0
#: A body gets so many seconds, and one more for each of these bytes.
BODY_SECONDS = 15.0
BODY_BYTES_PER_SECOND = 20_000
#: Seconds a connection is kept open without a request.
IDLE_SECONDS = 30.0
HEADER_BYTES = 32_768
#: Connections of one process. The oldest without a complete request make room for new ones.
CONNECTIONS = 1_000
#: Larger bodies wait in a temporary file.
IN_MEMORY_BYTES = 512 * 1024
#: Forms without a file: the largest selection with its reason.
FORM_BYTES = 1_000_000
#: All bodies that one process is receiving or handling, without uploads.
BODIES_BYTES = 256_000_000
_API = "/admin/api/"


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """``signed``: the sender was shown an upload form, so its body is outside the budget."""

    most_bytes: int
    signed: bool = False


def body_limit(path: str, query: str) -> BodyLimit:
    """Return the limit of a request's body, by its address alone."""
    if path.startswith(_API):
        most = max(settings.REDRIVE_API_MAX_BYTES, settings.REDRIVE_SUBMIT_MAX_BYTES)
        # One byte more: the views have these limits, too, and explain them.
        return BodyLimit(most + 1)
    if upload_pass.is_valid(_pass_in(query)):
        return BodyLimit(settings.REDRIVE_UPLOAD_MAX_BYTES + FORM_BYTES, signed=True)
    return BodyLimit(FORM_BYTES)


def _pass_in(query: str) -> str:
    try:
        return parse_qs(query, max_num_fields=20).get(upload_pass.FIELD, [""])[0]
    except ValueError:  # more fields than a form of ours has
        return ""


class Budget:
    """The bytes that all unfinished bodies of a process may take together."""

    def __init__(self, most: int) -> None:
        self._free = most
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        with self._lock:
            if count > self._free:
                return False
            self._free -= count
            return True

    def give_back(self, count: int) -> None:
        with self._lock:
            self._free += count
