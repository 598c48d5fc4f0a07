"""The stable group key of an error; pure.

Two failures belong to one group when staff would treat them alike: the same class, the same words,
other numbers. "page 17 answered HTTP 503" and "page 18 answered HTTP 503" are one group, HTTP 404
is another. The key carries a version, because every change here makes new groups of old errors.
"""

import hashlib
import re
from collections.abc import Iterable
from http import HTTPStatus

VERSION = "1"
_MAX_CHARACTERS = 2_000

_PHRASES = "|".join(
    sorted(
        re.escape(phrase)
        for phrase in {s.phrase for s in HTTPStatus if s >= 300} | {"Client Error", "Server Error"}
    )
)
_HTTP = r"(?:https?(?:/[0-9](?:\.[0-9])?)?(?: error)?|status(?:[ _-]?code)?)"
_VERBS = r"(?:code|answered|answers|returned|responded(?: with)?|response|replied|got|error)"
_STATUS = rf"""
    \b{_HTTP}[\s:=('"\[]{{0,3}}(?P<http>[1-5][0-9]{{2}})\b
    | \b{_VERBS}[\s:=('"\[]{{0,3}}(?P<answered>[45][0-9]{{2}})\b
    | \b(?P<phrased>[345][0-9]{{2}})\ (?:{_PHRASES})\b
    | \b(?:errno|signal|exit\ (?:code|status)|exited\ with|returncode|sqlstate)
      [\s:=('"\[]{{0,3}}(?P<coded>-?[0-9A-Z]{{1,5}})\b
"""
_ONLY_STATUS = re.compile(_STATUS, re.IGNORECASE | re.VERBOSE)
#: Tried in this order at each place; repetitions are bounded or cannot backtrack.
_VARIABLE = re.compile(
    rf"""
    (?P<url>\b[a-z][a-z0-9+.-]{{1,15}}://[^\s"'<>]+)
    | (?P<uuid>\b[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}\b)
    | (?P<status>{_STATUS})
    | (?P<quoted>(?<!\w)(?:
        '[^'\n]{{0,300}}' | "[^"\n]{{0,300}}" | `[^`\n]{{0,300}}` | “[^”\n]{{0,300}}”)(?!\w))
    | (?P<hex>\b0x[0-9a-f]+\b|\b(?=[a-f]*[0-9])[0-9a-f]{{8,}}\b)
    | (?P<id>(?<![\w-])(?=[a-z_-]*[0-9])(?=[0-9_-]*[a-z])[\w-]{{16,}}(?![\w-]))
    | (?P<path>(?<![\w/<>])/(?:[\w.@+-]+/)+[\w.@+-]*)
    | (?P<number>(?:(?<![\w])[-+])?[0-9]+(?:[.,:][0-9]+)*)
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SMALL_STATUS = re.compile(r"\bhttp (?=[1-5][0-9]{2}\b)")
_AFTER_HOST = re.compile(r"[/?#]")
_PUNCTUATION = ".,;:)]}"
_NUMBER = re.compile(r"[0-9]+(?:[.:][0-9]+)*")


def fingerprint(error_class: str, message: str, *, frames: Iterable[str] = ()) -> str:
    """Return the key of the error's group: ``1-`` and hex, at most 40 characters.

    ``frames`` tell errors apart whose class and message are the same: names of functions, without
    line numbers.
    """
    parts = "\0".join([error_class, normalise(message), *frames])
    digest = hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{VERSION}-{digest[:32]}"


def normalise(message: str) -> str:
    """Replace the parts of ``message`` that vary from case to case.

    Numbers and ids become ``#``, quotations ``<text>`` and paths ``<path>``. HTTP statuses, error
    numbers, exit codes and the hosts of URLs stay.
    """
    return " ".join(_VARIABLE.sub(_name, message[:_MAX_CHARACTERS]).split())


def write_status(normalised: str) -> str:
    """Write ``HTTP 503`` as people do, in a text of ``normalise``."""
    return _SMALL_STATUS.sub("HTTP ", normalised)


def _name(match: re.Match[str]) -> str:
    if match["status"]:
        return match[0].lower()
    if match["url"]:
        return _host(match[0])
    if match["quoted"]:
        status = _ONLY_STATUS.search(match[0])
        return f"<text {status[0].lower()}>" if status else "<text>"
    # One sign for all: the same id may look like a number today and like hex tomorrow.
    return "<path>" if match["path"] else "#"


def _host(url: str) -> str:
    """Return scheme and host of ``url``, and a mark where there is a path."""
    scheme, _, rest = url.partition("://")
    host = _AFTER_HOST.split(rest, maxsplit=1)[0]
    more = rest[len(host) :].strip(_PUNCTUATION + "/")
    host = _NUMBER.sub("#", host.rpartition("@")[2].rstrip(_PUNCTUATION).lower())
    return f"{scheme.lower()}://{host}{'/<path>' if more else ''}"
