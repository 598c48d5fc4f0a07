"""A JSON API over http and https, page by page."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import httpx
from django.utils.translation import gettext_noop

from entries.errors import SourceError
from entries.net import InvalidAddress
from entries.net.urls import parse as parse_url
from entries.sources.base import Invalid, Note, Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.http_json.options import HttpJsonOptions
from entries.sources.http_json.pages import Page, Pages, fetch_json, fetch_page
from entries.sources.ids import clean_id
from entries.sources.json_values import build_item, get_at, parse_json
from entries.sources.options import parse_options
from entries.sources.registry import register
from entries.sources.web import NotThere, read_validators


@register
class HttpJsonKind(SourceKind):
    """The payload is the object. What is not an object with an id is left out and counted."""

    name: ClassVar[str] = "http_json"
    description: ClassVar[str] = gettext_noop(
        "A JSON API at a web address, in one answer or in pages."
    )

    def problems_with(self, spec: SourceSpec) -> list[str]:
        found = parse_options(HttpJsonOptions, spec.options)[1]
        try:
            parse_url(spec.location)
        except InvalidAddress as error:
            found.append(str(error))
        return found

    def read(self, spec: SourceSpec) -> Reading:
        """Send validators only where one answer is all: page 1 says nothing about page 2."""
        options = HttpJsonOptions.parse(spec.options)
        start = _first_url(spec, options)
        first = fetch_page(start, options, validators=None if options.paged else spec)
        if first is None:
            return Reading(iter(()), not_modified=True)
        items = _items(Pages(start, first, options).read(), options)
        if options.paged or first.link:
            return Reading(items)
        return Reading(items, total=len(first.rows), **read_validators(first.answer))

    def reads_one_by_one(self, spec: SourceSpec) -> bool:
        return bool(spec.options.get("item_url"))

    def read_some(
        self, spec: SourceSpec, external_ids: Collection[str]
    ) -> Iterator[SourceItem | Invalid]:
        """Send one request for each id where there is an ``item_url``; 404 and 410 mean gone."""
        options = HttpJsonOptions.parse(spec.options)
        if not options.item_url:
            yield from super().read_some(spec, external_ids)
            return
        for external_id in dict.fromkeys(external_ids):
            try:
                answer = fetch_json(options.build_item_url(external_id))
            except NotThere:
                continue
            yield _read_item(external_id, parse_json(answer.body)[0], options)


def _first_url(spec: SourceSpec, options: HttpJsonOptions) -> httpx.URL:
    try:
        return options.first_url(spec.location)
    except InvalidAddress as error:
        raise SourceError(error.code, str(error)) from error


def _items(
    pages: Iterable[Page | Note], options: HttpJsonOptions
) -> Iterator[SourceItem | Invalid | Note]:
    for page in pages:
        if isinstance(page, Note):
            yield page
            continue
        if page.damage:
            yield Note(page.damage, partial=True)
        for row in page.rows:
            item = build_item(row, id_field=options.id_field, title_field=options.title_field)
            if page.damage and "\ufffd" in item.external_id:
                item = Invalid("its id has bytes that cannot be decoded")
            yield item


def _read_item(external_id: str, document: Any, options: HttpJsonOptions) -> SourceItem:
    found = build_item(
        get_at(document, options.item), id_field=options.id_field, title_field=options.title_field
    )
    if isinstance(found, Invalid):
        raise SourceError("malformed", f"the answer for {external_id[:100]!r} is {found.reason}")
    if clean_id(found.external_id) != external_id:
        other = found.external_id[:100]
        raise SourceError("malformed", f"asked for {external_id[:100]!r}, the API gave {other!r}")
    return replace(found, external_id=external_id)
