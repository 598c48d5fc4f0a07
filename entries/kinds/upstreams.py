"""What an entry depends on outside, as its kind derives it from the payload."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from entries.errors import UnknownKind
from entries.kinds.base import MAX_UPSTREAM, Kind
from entries.kinds.registry import get
from entries.text import one_line

logger = logging.getLogger(__name__)

#: A kind that is wrong is wrong for thousands of entries: it is logged this often.
_LOG_SECONDS = 60.0
_logged: dict[str, float] = {}


def has_upstreams(kind: Kind | type[Kind]) -> bool:
    """Whether entries of the kind depend on different things; else the kind is judged whole."""
    cls = kind if isinstance(kind, type) else type(kind)
    return cls.upstream is not Kind.upstream


def depends_on_upstreams(name: str) -> bool:
    """As ``has_upstreams``; False for a kind that is not installed."""
    try:
        return has_upstreams(get(name))
    except UnknownKind:
        return False


def derive_upstream(name: str, payload: Mapping[str, Any], *, source: str | None) -> str:
    """Return what an entry of the kind ``name`` depends on, or "" where that is nothing known.

    ``source`` is a slug. Never raises: what a kind gets wrong is logged and counts as "".
    """
    try:
        kind = get(name)
        if not has_upstreams(kind):
            return ""
        found: object = kind.upstream(payload, source=source)
    except UnknownKind:
        return ""
    except Exception as error:  # noqa: BLE001 - a kind may raise anything
        _log(name, f"{type(error).__name__}: {error}")
        return ""
    if isinstance(found, str):
        return one_line(found, limit=MAX_UPSTREAM)
    _log(name, f"upstream() returned {type(found).__name__}, not text")
    return ""


def _log(name: str, why: str) -> None:
    now = time.monotonic()
    if now - _logged.get(name, -_LOG_SECONDS) >= _LOG_SECONDS:
        _logged[name] = now
        logger.warning("kind.no_upstream", extra={"kind": name, "why": why[:200]})
