"""The function that a job calls, read from its data without unpickling; pure.

``data`` is compressed: a pickle of (name, instance, args, kwargs), or the same as a JSON list. Of a
pickle only the first operations are looked at, up to the first text, which is the name.
"""

import json
import pickletools
import re
import zlib
from io import BytesIO

#: Bytes of the uncompressed data that are read.
_READ = 64 * 1024
#: What may come before the name in a pickle of a tuple, between the name and what follows, and what
#: the name is written with. Two texts in a row are the name of a class.
_BEFORE = frozenset({"PROTO", "FRAME", "MARK"})
_BETWEEN = frozenset({"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "FRAME"})
_TEXT = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"})
_FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_MAX_NAME = 300


def find_function(data: bytes, description: str) -> str:
    """Return the dotted name of the function, from the description where the data does not say it;
    empty where neither does. Never raises, executes nothing, reads 64 KiB at most.
    """
    beginning = _decompress(data)
    name = _read_pickle(beginning) or _read_json(beginning)
    return _check(name) or _check(description.partition("(")[0].strip())


def _check(name: str) -> str:
    return name if len(name) <= _MAX_NAME and _FUNCTION.fullmatch(name) else ""


def _decompress(data: bytes) -> bytes:
    """Decompress the beginning; old versions of RQ did not compress."""
    try:
        return zlib.decompressobj().decompress(data, _READ)
    except zlib.error:
        return data[:_READ]


def _read_pickle(data: bytes) -> str:
    if not data or data[:1] in b"[ ":
        return ""
    name = ""
    try:
        for operation, argument, _ in pickletools.genops(BytesIO(data)):
            if name and operation.name not in _BETWEEN:
                return "" if operation.name in _TEXT else name
            if operation.name in _TEXT:
                name = str(argument)
            elif not name and operation.name not in _BEFORE:
                return ""
    except Exception:  # noqa: BLE001 - the bytes may be anything
        return ""
    return name


def _read_json(data: bytes) -> str:
    """Read the first text of a JSON list; the rest may have been cut off."""
    text = data.decode("utf-8", "replace").lstrip()
    if not text.startswith("["):
        return ""
    try:
        name = json.JSONDecoder().raw_decode(text[1:].lstrip())[0]
    except ValueError:
        return ""
    return name if isinstance(name, str) else ""
