"""The id of a request: taken from who sends it, or made; in every answer and log line, in the
audit, and with what it has started.

A command has one, too. It is kept in structlog's context variables, which every log line shows.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from structlog.contextvars import bind_contextvars, bound_contextvars, get_contextvars

HEADER = "X-Request-ID"
#: What may stand in logs, headers and the audit as it is. Nothing of it needs to be escaped.
_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+=/@-]{0,63}")


def choose_id(given: str) -> str:
    """Return ``given`` where it is a sane id, else a new one."""
    return given if _SANE.fullmatch(given) else str(uuid4())


def get_id() -> str:
    """Return the id of the request or command under way; empty where there is none."""
    return str(get_contextvars().get("request_id", ""))


def bind_id(request_id: str) -> None:
    """Show an id in all log lines until the context is cleared."""
    bind_contextvars(request_id=request_id)


@contextmanager
def bound_id(request_id: str) -> Iterator[None]:
    """Show an id in the log lines of the block; nothing for an empty one."""
    with bound_contextvars(**({"request_id": request_id} if request_id else {})):
        yield
