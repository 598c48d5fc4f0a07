"""Text and JSON from outside, cleaned for PostgreSQL and for people; pure.

PostgreSQL stores neither NUL nor lone surrogates, and jsonb no NaN either. All text from a page, a
feed, an API caller or an exception passes through here before it is stored.
"""

import html
import json
import math
import re
import sysconfig
import traceback
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from entries.errors import EntriesError, FailedElsewhere, PermanentError
from entries.fingerprints import fingerprint
from entries.masking import MASK, mask_address, may_hold_secret
from entries.tracebacks import cut_middle

#: Bad for PostgreSQL or a terminal: control characters except newline and tab, and surrogates.
_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
#: Bad for jsonb; the rest of a payload is stored as it was received.
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
#: Characters that change the direction of the text after them.
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
#: Letters in Unicode that are invisible.
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_BREAK = re.compile(
    r"</?(?:p|br|hr|div|li|ul|ol|dl|dt|dd|tr|td|th|h[1-6]|pre|blockquote)\b[^<>]*>", re.IGNORECASE
)
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]*>")
_HIDDEN = re.compile(r"<(/?)(?:script|style)\b[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_MAX_DEPTH = 50
_MAX_INTEGER_BITS = 4096


class NotJSON(PermanentError, TypeError):
    """A value has a type that JSON does not have: a date, bytes, an object."""


class NotStorable(PermanentError, ValueError):
    """A JSON value is too large or nested too deep to be stored."""


def clean_text(value: object, *, limit: int) -> str:
    """Return ``value`` as text of at most ``limit`` characters that PostgreSQL can store.

    None becomes the empty string, bytes are read as UTF-8. What cannot be stored or would steer a
    terminal is replaced by U+FFFD; line ends become newlines; what was cut ends in an ellipsis.
    """
    if value is None:
        return ""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    # A slice first, for a hundred megabytes; twice as long, because each "\r\n" shrinks to one.
    text = text[: 2 * limit + 1].replace("\r\n", "\n").replace("\r", "\n")
    text = _UNFIT.sub("\ufffd", text)
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + "…"[:limit]


def one_line(value: object, *, limit: int) -> str:
    """Return ``clean_text`` with every run of white space as one space."""
    if isinstance(value, str) and len(value) <= limit and value.isascii() and value.isprintable():
        return " ".join(value.split())  # nothing to clean, and lists ask for thousands
    return clean_text(" ".join(clean_text(value, limit=20_000).split()), limit=limit)


def visible(value: str) -> str:
    """Return ``value`` as a name on one line; empty where all of it is invisible.

    Characters that change the direction of text (overrides, embeddings, isolates) are removed.
    """
    text = _TURNS.sub("", one_line(value, limit=20_000))
    seen = (char for char in text if char not in _FILLERS)
    return text if any(unicodedata.category(char)[0] not in "ZC" for char in seen) else ""


def plain_text(markup: object, *, limit: int) -> str:
    """Return the readable words of HTML on one line: no tags, scripts, styles or entities.

    It is text, not safe HTML: escape it. Only the first 20,000 characters are read, in linear time.
    """
    shown, hidden = [], False
    pieces = _HIDDEN.split(clean_text(markup, limit=20_000))
    # split() alternates: text, "" or "/" of a script or style tag, text, …
    for index, piece in enumerate(pieces):
        if index % 2:
            hidden = piece == ""
        elif not hidden:
            shown.append(piece)
    text = _TAG.sub("", _BREAK.sub(" ", "".join(shown)))
    text = _ENTITY.sub(lambda match: html.unescape(match[0]), text)
    return one_line(text, limit=limit)


def clean_json(value: Any, *, max_bytes: int) -> Any:
    """Return a copy of ``value`` that jsonb can store, with clean strings and keys.

    NaN and the infinities become the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, an
    integer too long to print becomes ``"<integer of … bits>"``, tuples become lists. Raises
    ``NotJSON`` for other types and ``NotStorable`` for more than ``max_bytes`` as JSON or more
    than 50 levels (a structure that contains itself has endlessly many).
    """
    return _Cleaner(max_bytes).clean(value, depth=1)


class _Cleaner:
    """Counts while it copies, so that a structure that expands to gigabytes stops early."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.left = max_bytes

    def clean(self, value: Any, *, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise NotStorable(f"nested deeper than {_MAX_DEPTH} levels")
        if isinstance(value, Mapping):
            return self._copy_mapping(value, depth)
        if isinstance(value, list | tuple):
            self._spend(2 + 2 * len(value))
            return [self.clean(item, depth=depth + 1) for item in value]
        scalar = self._scalar(value)
        self._spend(len(json.dumps(scalar)))
        return scalar

    def _copy_mapping(self, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        self._spend(2 + 4 * len(value))
        copy: dict[str, Any] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotJSON(f"a key is {type(key).__qualname__}, JSON has only text keys")
            self._spend(len(json.dumps(key)))
            copy[_UNSTORABLE.sub("\ufffd", key)] = self.clean(item, depth=depth + 1)
        return copy

    def _scalar(self, value: Any) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            # The escaped form below can be six times as long: stop before it is made.
            if len(value) > self.left:
                self._spend(len(value))
            return _UNSTORABLE.sub("\ufffd", value)
        if isinstance(value, int):
            bits = value.bit_length()
            return int(value) if bits <= _MAX_INTEGER_BITS else f"<integer of {bits} bits>"
        if isinstance(value, float):
            if math.isnan(value):
                return "NaN"
            if math.isinf(value):
                return "Infinity" if value > 0 else "-Infinity"
            return float(value)
        raise NotJSON(f"{type(value).__qualname__} is not JSON")

    def _spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise NotStorable(f"larger than {self.max_bytes:,} bytes as JSON")


#: Each alternative begins at a fixed word or a word's start and reads each character a bounded
#: number of times, because messages may be hostile.
_SECRETS = re.compile(
    r"""
    (?P<header>\b(?:proxy-)?authorization["']?\s{0,3}[:=]\s{0,3}["']?)[^\r\n"']+
    | (?P<cookie>\b(?:set-)?cookie["']?\s{0,3}:\s{0,3}["']?)[^\r\n"']+
    | (?P<scheme>\b(?:bearer|basic)\s{1,3})(?P<token>[A-Za-z0-9._~+/=-]{6,})
    | (?P<name>(?:password|passwd|passphrase|pwd|secret|token|credential|signature
        |api[_-]?key|access[_-]?key|private[_-]?key|session[_-]?id)[\w.-]{0,40}
        (?:\\?["'])?\s{0,3}(?:[:=]|=>|%3D)\s{0,3})
      (?:\\?"[^"\r\n]*"?|\\?'[^'\r\n]*'?|[^\s"'&,;<>)}\]]+)
    | (?P<userinfo>\b[a-z][a-z0-9+.-]{1,15}://)[^\s/?\#"'<>]*@
    | (?P<key>-----BEGIN\ [A-Z ]{0,30}PRIVATE\ KEY-----)[^-]*
    | \b(?:AKIA|ASIA)[A-Z0-9]{16}\b
    | \bgh[pousr]_[A-Za-z0-9]{20,}
    | \bxox[a-z]-[A-Za-z0-9-]{10,}
    | (?<![\w-])eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?
    | (?<![A-Za-z0-9/+=_.-])(?P<mixed>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=_.-])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_ADDRESSES = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>]+", re.IGNORECASE)
#: Characters of an error's message that are stored.
MAX_MESSAGE = 500
#: Characters of a message or traceback that are scrubbed before the text is cut for storing.
_SCRUBBED = 200_000
_TRACEBACK = 20_000
_VALUE = 2_000
_TRACEBACK_HEAD = 6_000


def scrub(text: str) -> str:
    """Mask what looks like a secret in ``text``, in time linear in its length.

    Masked are authorization and cookie headers, bearer tokens, values after names such as
    ``password=`` or ``api_key:``, credentials in addresses, private keys and well-known key
    formats. Some secrets will pass: they do not belong in messages.
    """
    if not may_hold_secret(text):
        return text
    return _SECRETS.sub(_mask_match, _ADDRESSES.sub(lambda found: mask_address(found[0]), text))


def scrub_value(name: str, text: str) -> str:
    """Return the first 2,000 characters of ``text`` with secrets masked.

    ``name`` is the key it belongs to: what a name such as ``password`` holds is masked whole.
    """
    label = f"{name}: "
    return scrub(f"{label}{text[:_VALUE]}").removeprefix(label)


def _mask_match(match: re.Match[str]) -> str:
    group = match.lastgroup
    if group == "mixed":
        key = match[0]
        # Forty characters of hex are a commit, with a leading slash a path; AWS secrets mix cases.
        mixed = key != key.lower() and key != key.upper() and not key.startswith("/")
        return MASK if mixed and any(c.isdigit() for c in key) else key
    if group == "token":
        return f"{match['scheme']}{MASK if _is_token(match[group]) else match[group]}"
    if group == "userinfo":
        return f"{match[group]}{MASK}@"
    return f"{match[group]}{MASK}" if group else MASK


def _is_token(word: str) -> bool:
    """Tell tokens from words: they have capitals inside, digits or signs, or are long."""
    return not word.isalpha() or word[1:] != word[1:].lower() or len(word) >= 24


@dataclass(frozen=True, slots=True)
class ErrorInfo:
    """An exception as it is stored: cleaned, scrubbed and bounded."""

    error_class: str
    message: str
    traceback: str
    fingerprint: str


def describe_error(error: BaseException) -> ErrorInfo:
    """Describe ``error``; never raises, even where ``error``'s own methods do."""
    if isinstance(error, FailedElsewhere) and isinstance(error.info, ErrorInfo):
        return error.info
    name = type(error).__qualname__.rpartition("<locals>.")[2]
    error_class = clean_text(name, limit=200)
    message = clean_text(scrub(_message(error)[:_SCRUBBED]), limit=MAX_MESSAGE)
    return ErrorInfo(
        error_class=error_class,
        message=message,
        traceback=_traceback(error),
        fingerprint=fingerprint(error_class, message, frames=_list_frames(error)),
    )


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:  # noqa: BLE001 - any __str__ may raise anything
        return "(the error's own message could not be read)"


def _traceback(error: BaseException) -> str:
    try:
        text = "".join(traceback.format_exception(error))
    except BaseException:  # noqa: BLE001 - it calls the error's __str__ as well
        return "(the traceback could not be formatted)"
    return clean_traceback(text)


def clean_traceback(text: str) -> str:
    """Return a traceback as it is stored: scrubbed, cleaned, its middle cut."""
    text = scrub(cut_middle(text, limit=_SCRUBBED, head=_SCRUBBED // 2))
    text = clean_text(text, limit=len(text))
    return cut_middle(text, limit=_TRACEBACK, head=_TRACEBACK_HEAD)


def _list_frames(error: BaseException) -> tuple[str, ...]:
    """Return the innermost function of the project's own code, or nothing for domain errors.

    The message of a domain error says which group it belongs to; ``KeyError: 'id'`` does not. Inner
    frames of libraries change with their versions.
    """
    if isinstance(error, EntriesError):
        return ()
    spots = [
        (frame.f_code.co_filename, f"{frame.f_globals.get('__name__')}:{frame.f_code.co_qualname}")
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    own = [spot for file, spot in spots if not _is_library(file)]
    return tuple((own or [spot for _, spot in spots])[-1:])


def _is_library(file: str) -> bool:
    installed = "site-packages" in file or "dist-packages" in file
    return installed or file.startswith(("<", sysconfig.get_path("stdlib")))
