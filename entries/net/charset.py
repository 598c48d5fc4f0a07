"""Which encoding a text from outside is in; pure."""

import codecs
import re
from collections.abc import Iterable

_CHARSET = re.compile(r"charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
#: Codecs that no document is written in: quadratic ones, and ones that run escapes.
_NOT_FOR_DOCUMENTS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
)
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def charset_in(text: str) -> str:
    """The name after ``charset=`` in a Content-Type or a page's head; empty where there is none."""
    found = _CHARSET.search(text)
    return found[1] if found else ""


def marked(data: bytes) -> str:
    """The encoding that a byte order mark gives away; empty where there is none."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), "")


def codec(name: str) -> str:
    """The codec called ``name``, or empty where no document can be written in it."""
    try:
        found = codecs.lookup(name).name
        b"a".decode(found)
    except UnicodeError:
        pass  # one letter alone is no UTF-16
    except (LookupError, ValueError):
        return ""
    return "" if found.replace("_", "-") in _NOT_FOR_DOCUMENTS else found


def decode(data: bytes, said: Iterable[str]) -> tuple[str, str]:
    """The text and the codec that fitted: one that was said, else UTF-8, else Windows-1252."""
    for name in (*filter(None, map(codec, said)), "utf-8", "cp1252"):
        try:
            return data.decode(name), name
        except ValueError:
            continue
    return data.decode("latin-1"), "latin-1"
