"""How much a client may send, and how long it may take."""

import threading
from dataclasses import dataclass
from urllib.parse import parse_qs

from django.conf import settings

from entries import upload_pass

#: Seconds until the headers are there, from the first byte or the connection on.
HEADER_SECONDS = 10.0
#: Seconds for a body, and the bytes a second that add to them.
BODY_SECONDS = 15.0
BODY_BYTES_PER_SECOND = 20_000
#: Seconds for which a connection is kept without a request.
IDLE_SECONDS = 30.0
HEADER_BYTES = 32_768
#: Connections of one process. The oldest that have sent nothing complete make room for new ones.
CONNECTIONS = 1_000
#: Bodies beyond this wait in a temporary file.
IN_MEMORY_BYTES = 512 * 1024
#: What forms send that hold no file: the largest selection with its reason.
FORM_BYTES = 1_000_000
#: Of bodies that are being received or worked on at one time, in one process; uploads apart.
BODIES_BYTES = 256_000_000
_API = "/admin/api/"


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """``signed``: the sender was shown an upload form, so it counts for no common budget."""

    most_bytes: int
    signed: bool = False


def body_limit(path: str, query: str) -> BodyLimit:
    """Say what a request's body may have, by its address alone."""
    if path.startswith(_API):
        most = max(settings.REDRIVE_API_MAX_BYTES, settings.REDRIVE_SUBMIT_MAX_BYTES)
        # The views have limits of their own, and words for them.
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
    """Bytes that all unfinished bodies of a process may take together."""

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
