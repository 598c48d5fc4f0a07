"""What an entry holds, as one comparable value; pure."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def content_hash(title: str, payload: Mapping[str, Any]) -> str:
    """SHA-256 in hex over title and payload; the order of keys does not matter.

    What was stored and read again has the hash that it had before.
    """
    canonical = _canonical(title, payload)
    if "e+" in canonical or "-0.0" in canonical:
        # Rare, so that the walk through the payload is, too. Most of these stand in some text.
        canonical = _canonical(title, _as_stored(payload))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def is_same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same for jsonb: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def _canonical(title: str, payload: Any) -> str:
    return json.dumps([title, payload], sort_keys=True, separators=(",", ":"))


def _as_stored(value: Any) -> Any:
    """As PostgreSQL gives it back: jsonb knows neither exponents nor a negative zero."""
    if isinstance(value, float):
        if value == 0:
            return 0.0
        return int(Decimal(repr(value))) if 1e16 <= abs(value) < float("inf") else value
    if isinstance(value, Mapping):
        return {key: _as_stored(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_as_stored(item) for item in value]
    return value
