"""A JSON API over http and https, page by page."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from typing import Any, ClassVar

import httpx
from django.conf import settings

from entries.errors import SourceError
from entries.net import Answer, InvalidAddress
from entries.net.urls import parse as parse_url
from entries.sources.base import Invalid, Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.http_json_options import HttpJsonOptions
from entries.sources.ids import id_text, stored_id
from entries.sources.json_values import at, item_in, parse_json
from entries.sources.options import parse
from entries.sources.registry import register
from entries.sources.web import NotThere, get, validators_of

_ACCEPT = "application/json, */*;q=0.1"


@register
class HttpJsonKind(SourceKind):
    """The payload is the object. An item that is no object with an id is left out and counted."""

    name: ClassVar[str] = "http_json"
    description: ClassVar[str] = "A JSON API at a web address, in one answer or in pages."

    def problems_with(self, spec: SourceSpec) -> list[str]:
        found = parse(HttpJsonOptions, spec.options)[1]
        try:
            parse_url(spec.location)
        except InvalidAddress as error:
            found.append(str(error))
        return found

    def read(self, spec: SourceSpec) -> Reading:
        options = HttpJsonOptions.of(spec.options)
        if options.paged:
            pages = _pages(spec, options)
            first = next(pages)
            return Reading(_items(chain([first], pages), options))
        answer = _get(_first_url(spec, options), validators=spec)
        if answer.status == 304:
            return Reading(iter(()), not_modified=True)
        rows = _rows(parse_json(answer.body), options)
        return Reading(_items([rows], options), total=len(rows), **validators_of(answer))

    def reads_one_by_one(self, spec: SourceSpec) -> bool:
        return bool(spec.options.get("item_url"))

    def read_some(
        self, spec: SourceSpec, external_ids: Collection[str]
    ) -> Iterator[SourceItem | Invalid]:
        """With ``item_url``, one request for each id; 404 and 410 say that it is gone."""
        options = HttpJsonOptions.of(spec.options)
        if not options.item_url:
            yield from super().read_some(spec, external_ids)
            return
        for external_id in dict.fromkeys(external_ids):
            try:
                answer = _get(options.url_of(external_id))
            except NotThere:
                continue
            yield _asked_for(external_id, parse_json(answer.body), options)


def _pages(spec: SourceSpec, options: HttpJsonOptions) -> Iterator[list[Any]]:
    """The rows of one page after the other. Raises ``SourceError``, half-way as well."""
    start = _first_url(spec, options)
    url: httpx.URL | None = start
    seen: set[bytes] = set()
    for number in range(options.max_pages):
        if url is None:
            return
        _once(str(url), seen, number)
        document = parse_json(_get(url).body)
        rows = _rows(document, options)
        if options.page_param and rows:
            # An API that does not know the parameter gives its first page for ever.
            _once(json.dumps(rows), seen, number)
        yield rows
        url = _next_url(document, rows, options, start=start, number=number)
    if url is not None:
        raise SourceError("too_large", f"more than {options.max_pages:,} pages (see max_pages)")


def _once(said: str, seen: set[bytes], number: int) -> None:
    mark = hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    if mark in seen:
        raise SourceError("malformed", f"page {number + 1:,} is one that was there before")
    seen.add(mark)


def _next_url(
    document: Any, rows: list[Any], options: HttpJsonOptions, *, start: httpx.URL, number: int
) -> httpx.URL | None:
    """Where the next page is; None after the last one."""
    if options.page_param:
        next_page = options.first_page + number + 1
        return start.copy_set_param(options.page_param, next_page) if rows else None
    value = at(document, options.cursor_path or options.next_url_path)
    if value is None or value == "" or value is False:
        return None
    if not id_text(value):
        raise SourceError("malformed", f"page {number + 1:,} names its next page by {_type(value)}")
    if options.cursor_path:
        return start.copy_set_param(options.cursor_param, id_text(value))
    return _same_origin(id_text(value), start)


def _same_origin(text: str, start: httpx.URL) -> httpx.URL:
    """The next address, with the user and password of the first: they are for that server alone."""
    try:
        url = parse_url(text, base=start)
    except InvalidAddress as error:
        raise SourceError("invalid_address", f"the next page: {error}") from error
    if (url.scheme, url.host, url.port) != (start.scheme, start.host, start.port):
        raise SourceError("not_allowed", f"the next page is on another server, {url.host[:200]}")
    return url.copy_with(userinfo=start.userinfo)


def _first_url(spec: SourceSpec, options: HttpJsonOptions) -> httpx.URL:
    try:
        return options.first_url(spec.location)
    except InvalidAddress as error:
        raise SourceError(error.code, str(error)) from error


def _get(url: httpx.URL | str, *, validators: SourceSpec | None = None) -> Answer:
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


def _rows(document: Any, options: HttpJsonOptions) -> list[Any]:
    rows = at(document, options.items)
    if not isinstance(rows, list):
        where = (
            f"at {options.items!r}" if options.items else "as a whole; the option items says where"
        )
        raise SourceError("malformed", f"the answer is {_type(rows)} {where}, no list")
    return rows


def _items(pages: Iterable[list[Any]], options: HttpJsonOptions) -> Iterator[SourceItem | Invalid]:
    for rows in pages:
        for row in rows:
            yield item_in(row, id_field=options.id_field, title_field=options.title_field)


def _asked_for(external_id: str, document: Any, options: HttpJsonOptions) -> SourceItem:
    found = item_in(
        at(document, options.item), id_field=options.id_field, title_field=options.title_field
    )
    if isinstance(found, Invalid):
        raise SourceError("malformed", f"the answer for {external_id[:100]!r} is {found.reason}")
    if stored_id(found.external_id) != external_id:
        other = found.external_id[:100]
        raise SourceError("malformed", f"asked for {external_id[:100]!r}, the API gave {other!r}")
    return replace(found, external_id=external_id)


def _type(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
