"""RSS, Atom, RDF and JSON Feed over http and https."""

from itertools import chain
from typing import ClassVar

from django.conf import settings
from django.utils.translation import gettext_noop

from entries.errors import SourceError
from entries.net import InvalidAddress
from entries.net.urls import parse
from entries.sources.base import Reading, SourceKind, SourceSpec
from entries.sources.feed.items import build_items
from entries.sources.feed.json_feed import looks_like_json, read_json_feed
from entries.sources.feed.xml_feed import read_xml_feed
from entries.sources.registry import register
from entries.sources.web import get, read_validators

_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/feed+json, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
)


@register
class FeedKind(SourceKind):
    """Payload ``{"url", "title", "published", "updated", "author", "summary"}``, each a string.

    The id of an entry is the item's id as it is written, else its link (with a digest of title and
    date where items share one), else a digest of its content. Times are ISO 8601 in UTC. A feed
    that is not well-formed is an error as a whole: half of it would look like a feed from which the
    other half was removed.
    """

    name: ClassVar[str] = "feed"
    description: ClassVar[str] = gettext_noop("RSS, Atom, RDF or JSON Feed at a web address.")

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
        answer = get(
            spec.location,
            accept=_ACCEPT,
            seconds=settings.REDRIVE_FEED_TIME_LIMIT,
            max_bytes=settings.REDRIVE_FEED_MAX_BYTES,
            validators=spec,
        )
        if answer.status == 304:
            return Reading(iter(()), not_modified=True)
        content_type = answer.headers.get("content-type", "")
        if not answer.body.strip():
            raise SourceError("empty", "the answer is empty")
        if looks_like_json(answer.body):
            found, notes = read_json_feed(answer.body, url=answer.url)
        else:
            found, notes = read_xml_feed(answer.body, content_type=content_type, url=answer.url)
        damaged = any(note.partial for note in notes)
        items = build_items(found, damaged=damaged)
        return Reading(chain(notes, items), **read_validators(answer), total=len(found))
