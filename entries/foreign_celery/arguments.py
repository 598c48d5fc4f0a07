"""The arguments of a task, as django-celery-results keeps them; pure.

Its columns are JSON. With Celery's message protocol 2 that JSON is one text: what ``saferepr`` made
of the arguments for logs. It leaves out what is deep or long, and a caller may have given another
text, to hide a secret. So a text is never taken for the arguments unless a person asks for it, and
is read only where it can mean one thing. With protocol 1 the JSON is the arguments themselves.
"""

import ast
import json
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from entries.errors import PermanentError
from entries.text import NotJSON, NotStorable, clean_json, clean_text

#: Characters of a text that are kept, and bytes of arguments as JSON.
MAX_TEXT, MAX_BYTES = 4_000, 64 * 1024
#: Celery's texts have about a thousand characters at most.
_MAX_READ = 2_000
_CUT = "..."


class State(StrEnum):
    """What is known of the arguments; stable, and part of the payload."""

    #: They are in the payload as they were sent.
    EXACT = "exact"
    #: Only Celery's text of them is known.
    TEXT = "text"
    #: They are pickled, or in another form that is not read.
    ENCODED = "encoded"
    #: They are larger than what is read.
    LARGE = "large"
    #: The installation does not keep them (``result_extended``).
    MISSING = "missing"


class ArgumentsUnclear(PermanentError):
    """A text of arguments may mean several things, or not all of them are in it."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """Positional and keyword arguments, as far as they are known."""

    state: State
    args: list[Any] | None = None
    kwargs: dict[str, Any] | None = None
    args_text: str = ""
    kwargs_text: str = ""

    def as_payload(self) -> dict[str, Any]:
        if self.state is State.EXACT:
            return {"arguments": self.state.value, "args": self.args, "kwargs": self.kwargs}
        return {
            "arguments": self.state.value,
            "args_text": self.args_text,
            "kwargs_text": self.kwargs_text,
        }


def decode_arguments(
    args: str | None, kwargs: str | None, *, encoding: str, too_large: bool = False
) -> Arguments:
    """Decode the two columns. Never raises, whatever is in them."""
    if too_large:
        return Arguments(State.LARGE)
    found, named = _decode(args), _decode(kwargs)
    if found is None or named is None:
        return Arguments(State.MISSING)
    if encoding.lower() == "binary":
        return Arguments(State.ENCODED)
    if not isinstance(found, list) or not isinstance(named, dict):
        return Arguments(State.TEXT, args_text=_show(found), kwargs_text=_show(named))
    if _is_storable([found, named]):
        return Arguments(State.EXACT, found, named)
    return Arguments(State.LARGE if len(f"{args}{kwargs}") > MAX_BYTES else State.ENCODED)


def read_arguments(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload with ``args`` and ``kwargs`` as Celery's texts of them say.

    Raises ``ArgumentsUnclear`` where a text is cut, has what JSON has not (dates, sets, tuples
    inside), or could mean something else.
    """
    if "args" in payload and "kwargs" in payload:
        return dict(payload)
    texts = [payload.get(name) for name in ("args_text", "kwargs_text")]
    if payload.get("arguments") != State.TEXT or not all(isinstance(text, str) for text in texts):
        raise ArgumentsUnclear("the payload has no texts of arguments")
    args = _read(str(texts[0]))
    kwargs = _read(str(texts[1]))
    if not isinstance(args, list | tuple):
        raise ArgumentsUnclear("the text of the positional arguments is no list")
    if not isinstance(kwargs, dict):
        raise ArgumentsUnclear("the text of the keyword arguments is no dict")
    return {**payload, "args": list(args), "kwargs": kwargs}


def _decode(column: str | None) -> Any:
    if not column:
        return None
    try:
        return json.loads(column)
    except (ValueError, RecursionError):
        return column  # old versions have stored the text itself


def _is_storable(value: Any) -> bool:
    try:
        return bool(clean_json(value, max_bytes=MAX_BYTES) == value)
    except (NotJSON, NotStorable):
        return False


def _show(value: Any) -> str:
    return clean_text(value if isinstance(value, str) else repr(value), limit=MAX_TEXT)


def _read(text: str) -> Any:
    """Return the value that Celery has written as ``text``."""
    if len(text) > _MAX_READ:
        raise ArgumentsUnclear("the text is longer than what Celery writes")
    # Neither backslashes nor, in old versions, quotation marks are escaped in it.
    if "\\" in text:
        raise ArgumentsUnclear("a backslash in the text may mean several things")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ArgumentsUnclear("the text has more than plain values, or is cut") from None
    items = value if isinstance(value, tuple) else (value,)
    for item in items:
        _check(item)
    if _write(value) != text:
        raise ArgumentsUnclear("the text may mean several things")
    return value


def _check(value: Any) -> None:
    """Raise unless JSON has the value, and nothing of it was cut off."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ArgumentsUnclear("a key is no text, as JSON's are")
            _check(key)
            _check(item)
    elif isinstance(value, list):
        for item in value:
            _check(item)
    else:
        _check_plain(value)


def _check_plain(value: Any) -> None:
    if isinstance(value, str):
        if value.endswith((_CUT, "…")):
            raise ArgumentsUnclear("a text ends in dots: it may be cut")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ArgumentsUnclear("JSON has no infinite numbers")
    elif not (value is None or isinstance(value, int | float)):
        parts = value if isinstance(value, set | tuple) else (value,)
        if Ellipsis in parts:
            raise ArgumentsUnclear("the text is cut: Celery has left something out")
        raise ArgumentsUnclear(f"JSON has no {type(value).__name__}")


def _write(value: Any) -> str:
    """Write a value as Celery does; another text could have been written for another value."""
    match value:
        case str():
            return f"'{value}'"
        case list():
            return f"[{', '.join(map(_write, value))}]"
        case tuple():
            return f"({', '.join(map(_write, value))}{',' if len(value) == 1 else ''})"
        case dict():
            pairs = (f"{_write(key)}: {_write(item)}" for key, item in value.items())
            return f"{{{', '.join(pairs)}}}"
    return str(value)
