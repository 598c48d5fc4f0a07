"""Upstreams: what entries depend on outside, derived by their kind from the payload."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from entries.kinds.base import MAX_UPSTREAM, Kind
from entries.kinds.registry import find
from entries.text import one_line

logger = logging.getLogger(__name__)

#: A mistake in a kind affects thousands of entries: it is logged once in so many seconds.
_LOG_SECONDS = 60.0
_logged: dict[str, float] = {}


def has_upstreams(kind: Kind | type[Kind]) -> bool:
    """Say whether entries of the kind have upstreams; else the kind is judged whole."""
    cls = kind if isinstance(kind, type) else type(kind)
    return cls.upstream is not Kind.upstream


def depends_on_upstreams(name: str) -> bool:
    """Do the same as ``has_upstreams``, by name; False for an unknown kind."""
    kind = find(name)
    return kind is not None and has_upstreams(kind)


def derive_upstream(name: str, payload: Mapping[str, Any], *, source: str | None) -> str:
    """Return the upstream of an entry of the kind ``name``, or "" where it is unknown.

    ``source`` is a slug. Never raises: a mistake in the kind is logged and counts as "".
    """
    try:
        kind = find(name)
        if kind is None or not has_upstreams(kind):
            return ""
        found: object = kind.upstream(payload, source=source)
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
