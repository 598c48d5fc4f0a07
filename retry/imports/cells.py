"""What stands in the cells of a file, safe for the program that opens it; pure.

A spreadsheet runs what begins like a formula, and entries hold what strangers wrote (OWASP, "CSV
Injection"). The library only takes a leading ``=`` away, which changes what was exported and lets
``+``, ``-`` and ``@`` pass; here an apostrophe is put in front, and taken away again on import.
"""

import json
import re
from datetime import datetime
from typing import Any

# Also the wide forms, which some locales take for the same, and white space that is trimmed off.
_FORMULA = r"\s*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_TO_ESCAPE = re.compile(rf"'*{_FORMULA}")
_ESCAPED = re.compile(rf"'+{_FORMULA}")


def escape_formula(text: str) -> str:
    """``text`` as no program runs it; ``unescape_formula`` is the exact way back."""
    return f"'{text}" if _TO_ESCAPE.match(text) else text


def unescape_formula(text: str) -> str:
    return text[1:] if _ESCAPED.match(text) else text


def cell_text(value: Any) -> str:
    """One value of an entry as a cell's text: JSON for what is no text, empty for nothing."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False)
