"""The encoding of a text from outside; pure.

Labels mean what they mean on the web (WHATWG Encoding): ``latin1`` and ``ascii`` are Windows-1252,
``gb2312`` is GB 18030, ``shift_jis`` is Windows-31J: browsers read them so, and authors mean that.
"""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import webencodings

_CHARSET = re.compile(r"charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
#: Codecs that no document is written in: some take quadratic time, some evaluate escapes.
_NOT_FOR_DOCUMENTS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
)
#: Where Python's codec differs from the standard's: the standard reads GBK as GB 18030.
_CODECS = {"gbk": "gb18030"}
#: Decoders of the standard that produce no text.
_NO_TEXT = frozenset({"replacement", "x-user-defined"})
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text, and the codec that decoded it.

    ``first_bad`` is the place of the first undecodable byte, or None; such bytes are U+FFFD in the
    text.
    """

    text: str
    codec: str
    first_bad: int | None = None

    @property
    def note(self) -> str:
        """A sentence on undecodable bytes; empty without any."""
        if self.first_bad is None:
            return ""
        place = f"the first at byte {self.first_bad + 1:,}"
        return f"bytes that are not valid {self.codec} became U+FFFD, {place}"


def find_charset(text: str) -> str:
    """Return the name after ``charset=`` in a Content-Type or a page's head; empty without one."""
    found = _CHARSET.search(text)
    return found[1] if found else ""


def find_mark(data: bytes) -> str:
    """Return the encoding that a byte order mark stands for; empty without one."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), "")


@lru_cache(maxsize=256)
def find_codec(name: str) -> str:
    """Return the codec for the label ``name``; empty where no document can be written in it."""
    found = webencodings.lookup(name) if name.isascii() else None
    if found is None:
        return _find_python_codec(name)
    if name.lower() == "utf-16":
        return "utf-16"  # takes a mark, and is little-endian without
    return "" if found.name in _NO_TEXT else _CODECS.get(found.name, found.codec_info.name)


def find_inner_codec(name: str) -> str:
    """Return the codec for a label inside the document: read as ASCII, so it is not UTF-16."""
    found = find_codec(name)
    return "utf-8" if found.startswith(("utf-16", "utf-32")) else found


def decode(data: bytes, codecs_: Iterable[str]) -> DecodedText:
    """Decode by the byte order mark, else the first codec that is not empty, else as UTF-8.

    The codec is not guessed from the bytes: a damaged one must not change how the others are read.
    """
    return decode_as(data, find_mark(data) or next(filter(None, codecs_), "utf-8"))


def decode_as(data: bytes, name: str) -> DecodedText:
    """Decode by the codec ``name``; undecodable bytes become U+FFFD."""
    try:
        return DecodedText(data.decode(name), name)
    except UnicodeDecodeError as error:
        # Some codecs do not say where in the whole they are.
        return DecodedText(data.decode(name, "replace"), name, error.start)
    except UnicodeError:
        return DecodedText(data.decode("utf-8", "replace"), "utf-8", 0)


def _find_python_codec(name: str) -> str:
    """Return Python's codec for a name that is not a label on the web."""
    try:
        found = codecs.lookup(name).name
        b"a".decode(found)
    except UnicodeError:
        pass  # one byte alone is not UTF-16
    except (LookupError, ValueError):
        return ""
    return "" if found.replace("_", "-") in _NOT_FOR_DOCUMENTS else found
