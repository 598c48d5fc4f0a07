"""Which Redis of another installation may be connected to; pure except for two settings.

``REDRIVE_RQ_HOSTS`` names them, ``REDRIVE_ALLOW_PRIVATE_ADDRESSES`` opens every one. Such a Redis
is nearly always in a private network: what holds for pages and endpoints cannot decide about it.
"""

import re
from urllib.parse import SplitResult, unquote, urlsplit

from django.conf import settings

_SCHEMES = frozenset({"redis", "rediss"})
_DATABASE = re.compile(r"/?|/[0-9]{1,5}", re.ASCII)
_SOCKET_QUERY = re.compile(r"|db=[0-9]{1,5}", re.ASCII)
_PORT = 6379
_SHAPE = "the location must be an address such as redis://redis.example:6379/0"


def find_address_problem(url: str) -> str:
    """Return why ``url`` is not read, without its password; empty where it may be."""
    try:
        parts = urlsplit(url)
        named, place = _name(parts)
    except ValueError:
        return "the location is not an address"
    if parts.scheme == "unix":
        shaped = parts.path.startswith("/") and bool(_SOCKET_QUERY.fullmatch(parts.query))
    else:
        shaped = bool(_DATABASE.fullmatch(parts.path)) and not parts.query
        if parts.scheme not in _SCHEMES or not parts.hostname:
            return _SHAPE
    if not shaped or parts.fragment:
        return "after the place, the location has only the number of the database"
    if settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES or named & set(settings.REDRIVE_RQ_HOSTS):
        return ""
    return f"{place[:200]} may not be connected to: name it in REDRIVE_RQ_HOSTS"


def describe(url: str) -> str:
    """Return host and port, or the socket, for errors."""
    return _name(urlsplit(url))[1]


def _name(parts: SplitResult) -> tuple[set[str], str]:
    """Return what the setting may call a place, and its full name. Raises ``ValueError``."""
    if parts.scheme == "unix":
        path = unquote(parts.path)
        return {path}, path
    host, port = parts.hostname or "", parts.port or _PORT
    shown = f"[{host}]" if ":" in host else host
    return {host, f"{shown}:{port}"}, f"{shown}:{port}"
