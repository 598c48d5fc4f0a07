"""RSS, Atom, RDF and JSON Feed over http and https."""

import re
from typing import ClassVar

from django.conf import settings

from entries.errors import SourceError
from entries.net import Answer, FetchError, InvalidAddress, fetch
from entries.net.urls import parse
from entries.sources.base import Reading, SourceKind, SourceSpec
from entries.sources.feed_items import items_of
from entries.sources.feed_json import looks_like_json, read_json_feed
from entries.sources.feed_xml import read_xml_feed
from entries.sources.items import Sieve
from entries.sources.registry import register

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)
_VALIDATOR = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")


@register
class FeedKind(SourceKind):
    """Payload ``{"url", "title", "published", "updated", "author", "summary"}``, each a string.

    The id of an entry is the item's id, else its link, else a digest of what it says. Times are
    ISO 8601 in UTC. A feed that is not well-formed is an error as a whole: half a feed looks just
    like a feed from which the other half was removed.
    """

    name: ClassVar[str] = "feed"
    description: ClassVar[str] = "RSS, Atom, RDF or JSON Feed at a web address."

    def problems_with(self, spec: SourceSpec) -> list[str]:
        found = []
        try:
            parse(spec.location)
        except InvalidAddress as error:
            found.append(str(error))
        if spec.options:
            found.append(f"a feed takes no options, but got {', '.join(sorted(spec.options))}")
        return found

    def read(self, spec: SourceSpec) -> Reading:
        answer = _fetch(spec)
        if answer.status == 304:
            return Reading(iter(()), not_modified=True)
        content_type = answer.headers.get("content-type", "")
        if not answer.body.strip():
            raise SourceError("empty", "the answer is empty")
        if looks_like_json(answer.body):
            found, notes = read_json_feed(answer.body, url=answer.url)
        else:
            found, notes = read_xml_feed(answer.body, content_type=content_type, url=answer.url)
        sieve = Sieve()
        items = list(sieve.pass_on(items_of(found, sieve)))
        return Reading(
            iter(items),
            etag=_validator(answer, "etag", limit=500),
            last_modified=_validator(answer, "last-modified", limit=200),
            total=len(items),
            notes=(*notes, *sieve.notes),
        )


def _fetch(spec: SourceSpec) -> Answer:
    headers = {"Accept": _ACCEPT}
    if spec.etag:
        headers["If-None-Match"] = spec.etag
    if spec.last_modified:
        headers["If-Modified-Since"] = spec.last_modified
    try:
        return fetch(
            spec.location,
            seconds=getattr(settings, "REDRIVE_FEED_TIME_LIMIT", 60.0),
            max_bytes=getattr(settings, "REDRIVE_FEED_MAX_BYTES", 20_000_000),
            headers=headers,
        )
    except FetchError as error:
        raise SourceError(error.code, str(error)) from error


def _validator(answer: Answer, name: str, *, limit: int) -> str:
    """What the next request may send back; empty where it does not fit into a header or column."""
    value: str = answer.headers.get(name, "").strip()
    return value if len(value) <= limit and _VALIDATOR.fullmatch(value) else ""
