"""Title and payload of entries, hashed and compared; pure."""

import hashlib
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def content_hash(title: str, payload: Mapping[str, Any]) -> str:
    """Return the SHA-256 in hex over title and payload; the order of keys does not matter.

    Content that was stored and read again has the same hash.
    """
    canonical = _canonical(title, payload)
    if "e+" in canonical or "-0.0" in canonical:
        # Rare, so the walk through the payload is rare as well; most matches are in text.
        canonical = _canonical(title, _normalise(payload))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


def is_same(one: Any, other: Any) -> bool:
    """Say whether two JSON values are the same for jsonb: 1 is 1.0, and true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def _canonical(title: str, payload: Any) -> str:
    return json.dumps([title, payload], sort_keys=True, separators=(",", ":"))


def _normalise(value: Any) -> Any:
    """Return the value as PostgreSQL returns it: jsonb has no exponents and no negative zero."""
    if isinstance(value, float):
        if value == 0:
            return 0.0
        return int(Decimal(repr(value))) if 1e16 <= abs(value) < float("inf") else value
    if isinstance(value, Mapping):
        return {key: _normalise(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normalise(item) for item in value]
    return value
