"""The pages of a JSON API."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from django.conf import settings

from entries.errors import SourceError
from entries.net import Answer, InvalidAddress
from entries.net.urls import origin
from entries.net.urls import parse as parse_url
from entries.sources.base import Note, SourceSpec
from entries.sources.http_json.options import HttpJsonOptions
from entries.sources.ids import format_id
from entries.sources.json_values import get_at, parse_json
from entries.sources.web import NotThere, get

_ACCEPT = "application/json, */*;q=0.1"
#: One link of a Link header (RFC 8288): its target and its parameters.
_LINK = re.compile(r"<([^<>]{1,8000})>((?:[^,\"<]|\"[^\"]{0,1000}\")*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", re.IGNORECASE)
_LONGEST_HEADER = 20_000


@dataclass(frozen=True, slots=True)
class Page:
    """One answer with its rows."""

    url: httpx.URL
    document: Any
    rows: list[Any]
    #: A note where bytes of it could not be decoded, else empty.
    damage: str
    #: The next page by its Link header; empty without one.
    link: str
    answer: Answer


def fetch_page(
    url: httpx.URL | str, options: HttpJsonOptions, *, validators: SourceSpec | None = None
) -> Page | None:
    """Fetch a page; None where it has not changed. Raises ``SourceError``."""
    answer = fetch_json(url, validators=validators)
    if answer.status == 304:
        return None
    document, damage = parse_json(answer.body)
    rows = find_rows(document, options)
    link = find_next_link(answer.headers.get_list("link"))
    return Page(parse_url(answer.url), document, rows, damage, link, answer)


def fetch_json(url: httpx.URL | str, *, validators: SourceSpec | None = None) -> Answer:
    answer = get(
        str(url),
        accept=_ACCEPT,
        seconds=settings.REDRIVE_JSON_TIME_LIMIT,
        max_bytes=settings.REDRIVE_JSON_MAX_BYTES,
        validators=validators,
    )
    if answer.status != 304 and not answer.body.strip():
        raise SourceError("empty", "the answer is empty")
    return answer


class Pages:
    """The pages of one reading; the first has been fetched."""

    def __init__(self, start: httpx.URL, first: Page, options: HttpJsonOptions) -> None:
        self._start = start
        self._first = first
        self._options = options
        self._seen: set[bytes] = set()

    def read(self) -> Iterator[Page | Note]:
        """Yield the pages in order. Raises ``SourceError``, also half-way."""
        url, page, number = self._start, self._first, 1
        self._once(str(url), number)
        while True:
            if self._options.page_param and page.rows:
                # An API that does not know the parameter would return its first page forever.
                self._once(json.dumps(page.rows), number)
            yield page
            following = self._next_url(page, asked=url, number=number)
            if following is None:
                return
            if isinstance(following, Note):
                yield following
                return
            number += 1
            if number > self._options.max_pages:
                most = f"more than {self._options.max_pages:,} pages (see max_pages)"
                raise SourceError("too_large", most)
            self._once(str(following), number)
            try:
                fetched = fetch_page(following, self._options)
            except NotThere as error:
                yield self._end(error, page, number)
                return
            assert fetched is not None  # noqa: S101 - nothing was asked conditionally
            url, page = following, fetched

    def _end(self, error: NotThere, last: Page, number: int) -> Note:
        """Return the note that ends numbered pages at a missing one; else raise ``error``.

        After a page with fewer rows than the first nothing can be missing; after a full page
        something may be.
        """
        if not self._options.page_param or not last.rows:
            raise error
        short = len(last.rows) < len(self._first.rows)
        return Note(
            f"page {number:,} does not exist ({error}), so the pages end before it",
            partial=not short,
        )

    def _once(self, content: str, number: int) -> None:
        mark = hashlib.blake2b(content.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if mark in self._seen:
            raise SourceError("malformed", f"page {number:,} is the same as an earlier one")
        self._seen.add(mark)

    def _next_url(self, page: Page, *, asked: httpx.URL, number: int) -> httpx.URL | Note | None:
        """Return the address of the next page; None after the last."""
        options = self._options
        if options.page_param:
            next_page = options.first_page + number
            following = self._start.copy_set_param(options.page_param, next_page)
            return following if page.rows else None
        if not options.paged:
            return self._follow_link(page, asked=asked)
        value = get_at(page.document, options.cursor_path or options.next_url_path)
        if value is None or value == "" or value is False:
            return None
        text = format_id(value)
        if not text:
            raise SourceError(
                "malformed", f"page {number:,} gives {describe_type(value)} as its next page"
            )
        if page.damage and "\ufffd" in text:
            raise SourceError(
                "malformed", f"page {number:,} gives a next page that cannot be decoded"
            )
        if options.cursor_path:
            following = self._start.copy_set_param(options.cursor_param, text)
        else:
            following = self._on_this_server(text, page)
        # An empty page that names itself means: come back later for more.
        return None if following == asked and not page.rows else following

    def _follow_link(self, page: Page, *, asked: httpx.URL) -> httpx.URL | Note | None:
        if not page.link:
            return None
        try:
            following = self._on_this_server(page.link, page)
        except SourceError as error:
            words = f"a Link header names a next page, which was not read: {error}"
            return Note(words, partial=True)
        return None if following == asked and not page.rows else following

    def _on_this_server(self, text: str, page: Page) -> httpx.URL:
        """Resolve the next address against the page's own, after redirects.

        User and password of the first page are sent to its server only. Raises ``SourceError`` for
        another server.
        """
        try:
            url = parse_url(text, base=page.url)
        except InvalidAddress as error:
            raise SourceError("invalid_address", f"the next page: {error}") from error
        url = url.copy_with(userinfo=b"")
        if origin(url) == origin(self._start):
            return url.copy_with(userinfo=self._start.userinfo) if self._start.userinfo else url
        if origin(url) == origin(page.url):
            return url
        raise SourceError("not_allowed", f"the next page is on another server, {url.host[:200]}")


def find_next_link(headers: list[str]) -> str:
    """Return the target of the first link with the relation ``next``; empty without one."""
    for header in headers:
        for target, parameters in _LINK.findall(header[:_LONGEST_HEADER]):
            for quoted, bare in _REL.findall(parameters):
                if "next" in (quoted or bare).lower().split():
                    return str(target).strip()
    return ""


def find_rows(document: Any, options: HttpJsonOptions) -> list[Any]:
    rows = get_at(document, options.items)
    if not isinstance(rows, list):
        why = f"the answer is {describe_type(rows)}, not a list; the option items says where it is"
        if options.items:
            why = f"the answer has {describe_type(rows)} at {options.items!r}, not a list"
        raise SourceError("malformed", why)
    return rows


def describe_type(value: Any) -> str:
    """Return in words what type of JSON ``value`` is."""
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
