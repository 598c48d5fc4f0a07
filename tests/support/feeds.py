"""Feeds for tests, in each dialect, from the same few items."""

import json
from collections.abc import Iterable
from xml.sax.saxutils import escape

RSS = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/">'
    "<channel><title>News</title><link>http://news.example/</link>{}</channel></rss>"
)
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><id>tag:news</id>'
    "<updated>2030-01-01T00:00:00Z</updated>{}</feed>"
)
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<channel rdf:about="http://news.example/"><title>News</title></channel>{}</rdf:RDF>'
)


def rss(items: str = "") -> str:
    return RSS.format(items)


def atom(entries: str = "") -> str:
    return ATOM.format(entries)


def rdf(items: str = "") -> str:
    return RDF.format(items)


def rss_item(number: int | str, *, title: str | None = None) -> str:
    name = escape(title if title is not None else f"Page {number}")
    return (
        f"<item><guid isPermaLink='false'>id-{number}</guid><title>{name}</title>"
        f"<link>http://news.example/{number}</link></item>"
    )


def rss_of(numbers: Iterable[int]) -> str:
    return rss("".join(map(rss_item, numbers)))


def json_feed(items: object, *, version: str = "https://jsonfeed.org/version/1.1") -> str:
    return json.dumps({"version": version, "title": "News", "items": items})
