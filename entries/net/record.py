"""The record of an exchange as it is stored and shown: masked, cleaned and bounded."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl, quote

import httpx

from entries.net.charset import decode, find_charset, find_codec
from entries.net.exchange import Answer
from entries.net.urls import display_url
from entries.text import clean_text, one_line, scrub

MASK = "***"
#: Bytes of an answer worth reading, and characters of a body that are kept.
READ = 16 * 1024
KEPT = 2_000
_MOST_HEADERS = 30
_LONGEST_NAME = 1_000
_TELLING = re.compile(
    r"auth|cookie|credential|key|passw|secret|session|signature|token", re.IGNORECASE
)
_HARMLESS = frozenset({"idempotency-key", "www-authenticate", "proxy-authenticate"})
#: Shorter text is not masked: it is hardly a secret, and masking it would garble the rest.
_SHORTEST = 6


class Record:
    """Describes one exchange without its secrets.

    ``secrets`` are masked wherever they turn up, so that a server that echoes its request does not
    reveal them; so are the values in the query of the address. Anything else that looks like a
    secret is masked as in any text from outside.
    """

    def __init__(self, target: httpx.URL, *, secrets: Iterable[str]) -> None:
        self._target = target
        found = {*secrets, *_in_query(target)}
        forms = {form for secret in found for form in _forms(secret) if len(form) >= _SHORTEST}
        # The longest first: one may be a part of another.
        self._secrets = sorted(forms, key=len, reverse=True)
        self._shortest = min(map(len, forms), default=0)

    def request(self, method: str, *, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
        return {
            "method": method,
            "url": display_url(self._target),
            "headers": self._headers(headers),
            **self._body(body.decode("utf-8", "replace"), cut=False),
        }

    def response(self, answer: Answer) -> dict[str, Any]:
        charset = find_codec(find_charset(answer.headers.get("content-type", "")))
        return {
            "status": answer.status,
            "headers": self._headers(answer.headers),
            **self._body(decode(answer.body, [charset]).text, cut=answer.cut),
        }

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {
            self._show_name(name): MASK
            if _is_telling(name)
            else one_line(self._hide(value), limit=300)
            for name, value in islice(headers.items(), _MOST_HEADERS)
        }

    def _show_name(self, name: str) -> str:
        return _clean_name(self._replace(name)[:_LONGEST_NAME])

    def _body(self, text: str, *, cut: bool) -> dict[str, Any]:
        """Return ``body``, and ``cut`` where it is only the beginning."""
        hidden = self._replace(text[:READ])
        # Twice as much as is kept, so that nothing is cut into view; the search is slow.
        shown = scrub(hidden[: 2 * KEPT])
        kept = {"body": clean_text(shown, limit=KEPT)}
        cut = cut or len(shown) > KEPT or len(hidden) > 2 * KEPT
        return kept | ({"cut": True} if cut else {})

    def _hide(self, text: str) -> str:
        return scrub(self._replace(text))

    def _replace(self, text: str) -> str:
        if len(text) >= self._shortest:
            for secret in self._secrets:
                text = text.replace(secret, MASK)
        return text


@lru_cache(maxsize=1024)
def _clean_name(name: str) -> str:
    """Cached, as the same few dozen names come with every answer."""
    return one_line(scrub(name), limit=100)


def _is_telling(name: str) -> bool:
    return name.lower() not in _HARMLESS and _TELLING.search(name) is not None


def _in_query(target: httpx.URL) -> set[str]:
    query = target.query.decode("ascii", "replace")
    return {query, *(value for _, value in parse_qsl(query)), target.password}


def _forms(secret: str) -> set[str]:
    """Return a secret as it is, in a URL, and in JSON that escapes the slash."""
    return {secret, quote(secret, safe=""), secret.replace("/", "\\/")}
