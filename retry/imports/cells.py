"""Cells of exported and imported files, safe for spreadsheets; pure.

A spreadsheet runs text that begins like a formula, and entries contain text of strangers (OWASP,
"CSV Injection"). The library only removes a leading ``=``, which changes the text and lets ``+``,
``-`` and ``@`` pass; here an apostrophe is put in front, and removed again on import.
"""

import json
import re
from datetime import datetime
from typing import Any

# Also the wide forms, which some locales treat alike, and white space that is trimmed.
_FORMULA = r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_TO_ESCAPE = re.compile(rf"'*{_FORMULA}")
_ESCAPED = re.compile(rf"'+{_FORMULA}")


def escape_formula(text: str) -> str:
    """Return ``text`` so that no program runs it; ``unescape_formula`` is the exact inverse."""
    return f"'{text}" if _TO_ESCAPE.match(text) else text


def unescape_formula(text: str) -> str:
    return text[1:] if _ESCAPED.match(text) else text


def cell_text(value: Any) -> str:
    """Return a value as the text of a cell: JSON for values that are not text, empty for None."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)
