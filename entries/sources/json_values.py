"""Values in JSON from outside; pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from entries.errors import SourceError
from entries.net.charset import decode_as
from entries.sources.base import Invalid, SourceItem
from entries.sources.ids import format_id

#: Lists and objects in one document: each takes much more memory than its two brackets.
MAX_CONTAINERS = 1_000_000


def parse_json(body: bytes) -> tuple[Any, str]:
    """Return the document, and a note where undecodable bytes became U+FFFD.

    Raises ``SourceError`` with ``malformed`` or ``too_large``.
    """
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS:
        raise SourceError("too_large", f"more than {MAX_CONTAINERS:,} lists and objects")
    decoded = decode_as(body, "utf-8-sig")
    try:
        return json.loads(decoded.text), decoded.note
    except json.JSONDecodeError as error:
        if decoded.first_bad is not None:
            place = f"not UTF-8 at byte {decoded.first_bad:,}"
            raise SourceError("malformed", f"broken JSON: {place}") from error
        where = f"line {error.lineno:,}, column {error.colno:,}"
        raise SourceError("malformed", f"broken JSON in {where}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        # Such as a number of five thousand digits, or ten thousand brackets.
        raise SourceError(
            "malformed", "broken JSON: nested too deep, or a number with too many digits"
        ) from error


def get_at(document: Any, path: str) -> Any:
    """Return the value at ``path`` (``data.items``, ``links.0.href``), or None.

    A key that contains dots is found as it is. The empty path is the document itself.
    """
    if not path or (isinstance(document, Mapping) and path in document):
        return document[path] if path else document
    for part in path.split("."):
        if isinstance(document, Mapping):
            document = document.get(part)
        elif isinstance(document, list) and re.fullmatch("[0-9]{1,9}", part):
            document = document[int(part)] if int(part) < len(document) else None
        else:
            return None
    return document


def build_item(value: Any, *, id_field: str, title_field: str) -> SourceItem | Invalid:
    """Build an item of an object; without a title the id is its title."""
    if not isinstance(value, dict):
        return Invalid("not a JSON object")
    external_id = format_id(get_at(value, id_field))
    if not external_id.strip():
        return Invalid("without an id")
    return SourceItem(external_id, format_id(get_at(value, title_field)) or external_id, value)
