"""What an entry holds, as one comparable value; pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def content_hash(title: str, payload: Mapping[str, Any]) -> str:
    """SHA-256 in hex over title and payload; the order of keys does not matter."""
    canonical = json.dumps([title, payload], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
