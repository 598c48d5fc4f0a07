"""Which encoding a text from outside is in; pure.

Labels mean what they mean on the web (WHATWG Encoding): ``latin1`` and ``ascii`` are Windows-1252,
``gb2312`` is GB 18030, ``shift_jis`` is Windows-31J. Whoever labels a text means that, and tests it
with what reads it so.
"""

import codecs
import re
from collections.abc import Iterable
from dataclasses import dataclass

import webencodings

_CHARSET = re.compile(r"charset\s{0,5}=\s{0,5}[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
#: Codecs that no document is written in: quadratic ones, and ones that run escapes.
_NOT_FOR_DOCUMENTS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
)
#: Where Python's codec of the standard's name is another: the standard reads GBK as GB 18030.
_CODECS = {"gbk": "gb18030"}
#: Decoders of the standard that give no text.
_NO_TEXT = frozenset({"replacement", "x-user-defined"})
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and the codec that it was read by.

    ``first_bad`` is the place of the first byte that makes no character; it and all like it are
    U+FFFD in the text. None where every byte made sense.
    """

    text: str
    codec: str
    first_bad: int | None = None

    @property
    def note(self) -> str:
        """What to say about the damage; empty where there is none."""
        if self.first_bad is None:
            return ""
        place = f"the first at byte {self.first_bad + 1:,}"
        return f"bytes that make no text in {self.codec} became U+FFFD, {place}"


def charset_in(text: str) -> str:
    """The name after ``charset=`` in a Content-Type or a page's head; empty where there is none."""
    found = _CHARSET.search(text)
    return found[1] if found else ""


def marked(data: bytes) -> str:
    """The encoding that a byte order mark gives away; empty where there is none."""
    return next((name for mark, name in _MARKS.items() if data.startswith(mark)), "")


def codec(name: str) -> str:
    """The codec for the label ``name``, or empty where no document can be written in it."""
    found = webencodings.lookup(name) if name.isascii() else None
    if found is None:
        return _of_python(name)
    if name.lower() == "utf-16":
        return "utf-16"  # takes a mark, and is little-endian without
    return "" if found.name in _NO_TEXT else _CODECS.get(found.name, found.codec_info.name)


def within(name: str) -> str:
    """The codec for a label that a document gives itself, readable as ASCII: no UTF-16 then."""
    found = codec(name)
    return "utf-8" if found.startswith(("utf-16", "utf-32")) else found


def decode(data: bytes, said: Iterable[str]) -> Decoded:
    """The text by its byte order mark, else the first codec in ``said``, else as UTF-8.

    The bytes have no say in which: one that is damaged must not change how the others are read.
    """
    return decode_as(data, marked(data) or next(filter(None, said), "utf-8"))


def decode_as(data: bytes, name: str) -> Decoded:
    """The text in the codec ``name``, whatever its bytes look like."""
    try:
        return Decoded(data.decode(name), name)
    except UnicodeDecodeError as error:
        # Some codecs do not say where in the whole they are.
        return Decoded(data.decode(name, "replace"), name, error.start)
    except UnicodeError:
        return Decoded(data.decode("utf-8", "replace"), "utf-8", 0)


def _of_python(name: str) -> str:
    """A codec that the web has no label for and Python has a name for."""
    try:
        found = codecs.lookup(name).name
        b"a".decode(found)
    except UnicodeError:
        pass  # one letter alone is no UTF-16
    except (LookupError, ValueError):
        return ""
    return "" if found.replace("_", "-") in _NOT_FOR_DOCUMENTS else found
