"""Hostile JSON, one object at a time; pure."""

import json
import re
from typing import Any

#: Nesting levels that a payload may have.
MAX_DEPTH = 50
_LONE = re.compile(r"\\u[dD][89a-fA-F]")


class RowFault(ValueError):
    """One object cannot be read, its neighbours can. The message is the reason."""


def check_object(value: Any, text: str, *, columns: int) -> dict[str, Any]:
    """Return ``value`` if it may be stored, else raise ``RowFault``; ``text`` is its JSON."""
    if isinstance(value, RowFault):
        raise value
    if not isinstance(value, dict):
        raise RowFault("not a JSON object")
    if len(value) > columns:
        raise RowFault(f"more than {columns:,} keys")
    if "\\u" in text and _LONE.search(text) and not _is_unicode(value):
        raise RowFault("half a character (a lone surrogate)")
    if text.count("{") + text.count("[") > MAX_DEPTH and _is_deep(value):
        raise RowFault(f"nested deeper than {MAX_DEPTH} levels")
    return value


def refuse_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RowFault("a repeated key")
    return found


#: Reads what may be stored.
STRICT = json.JSONDecoder(object_pairs_hook=refuse_duplicate_keys)
#: Finds where other values end, such as a number of five thousand digits.
LENIENT = json.JSONDecoder(parse_int=len, parse_float=len)


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True
