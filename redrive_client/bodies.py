"""Bodies and query strings, from the arguments of a call: what is None is left out."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

Filter = Mapping[str, Any]


def body(**members: Any) -> dict[str, Any]:
    """Make a body: times become text, and tuples and the like become lists."""
    return {key: _write(value) for key, value in members.items() if value is not None}


def select(entries: Filter | Iterable[int], **members: Any) -> dict[str, Any]:
    """Make a body that selects entries: a filter, or ids."""
    if isinstance(entries, Mapping):
        return body(filter=entries, **members)
    return body(entry_ids=entries, **members)


def query(**members: Any) -> dict[str, str]:
    """Make a query string; ``payload`` is a mapping of paths to values."""
    payload: Mapping[str, Any] = members.pop("payload", None) or {}
    found = {key: _write_text(value) for key, value in members.items() if value is not None}
    return found | {f"payload.{path}": json.dumps(value) for path, value in payload.items()}


def _write(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key: _write(each) for key, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_write(each) for each in value]
    return value


def _write_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(str(each) for each in value)
    return str(value)
