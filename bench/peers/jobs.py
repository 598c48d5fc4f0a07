"""The jobs of the peers' workers: nothing, or one request. Imports only what they need."""

import threading
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

_LOCAL = threading.local()


def noop(_number: int) -> None:
    return None


def fetch(url: str) -> int:
    """Fetch on this thread's connection, which is kept for the next one; return the size."""
    split = urlsplit(url)
    connection: HTTPConnection | None = getattr(_LOCAL, "connection", None)
    if connection is None:
        connection = _LOCAL.connection = HTTPConnection(str(split.hostname), split.port, timeout=20)
    try:
        connection.request("GET", split.path)
        return len(connection.getresponse().read())
    except (OSError, HTTPException):
        connection.close()
        raise
