"""Every format that feedparser says it reads, as its documentation names them."""

import feedparser
import pytest

from entries.errors import SourceError
from entries.sources.feed.items import FeedItem
from entries.sources.feed.xml_feed import read_xml_feed

ITEM = "<item><title>One</title><link>http://n.example/1</link>{}</item>"
DESCRIBED = ITEM.format("<description>Words</description>")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NETSCAPE = (
    '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
    '"http://my.netscape.com/publish/formats/rss-0.91.dtd">'
)


def rss(version: str, item: str = DESCRIBED) -> str:
    return f'<rss version="{version}"><channel><title>News</title>{item}</channel></rss>'


def atom(namespace: str, *, version: str, entry: str) -> str:
    return (
        f'<feed xmlns="{namespace}"{version}><title>News</title><entry><title>One</title>'
        f'<link rel="alternate" type="text/html" href="http://n.example/1"/>{entry}</entry></feed>'
    )


WORDS = FeedItem(link="http://n.example/1", title="One", summary="Words")
FORMATS = {
    "rss090": (
        (
            f'<rdf:RDF xmlns:rdf="{RDF}" xmlns="http://my.netscape.com/rdf/simple/0.9/">'
            f"<channel><title>News</title></channel>{ITEM.format('')}</rdf:RDF>"
        ),
        FeedItem(link="http://n.example/1", title="One"),
    ),
    "rss091n": (f'<?xml version="1.0"?>{NETSCAPE}{rss("0.91")}', WORDS),
    "rss091u": (rss("0.91"), WORDS),
    "rss092": (rss("0.92"), WORDS),
    "rss093": (rss("0.93"), WORDS),
    "rss094": (rss("0.94"), WORDS),
    "rss20": (
        rss(
            "2.0",
            ITEM.format(
                "<guid isPermaLink='false'>g1</guid><description>Words</description>"
                "<pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate>"
            ),
        ),
        FeedItem(
            id="g1",
            link="http://n.example/1",
            title="One",
            summary="Words",
            published="2004-01-01T19:48:21+00:00",
        ),
    ),
    "rss10": (
        (
            f'<rdf:RDF xmlns:rdf="{RDF}" xmlns="http://purl.org/rss/1.0/">'
            '<channel rdf:about="http://n.example/"><title>News</title><items><rdf:Seq>'
            '<rdf:li rdf:resource="http://n.example/1"/></rdf:Seq></items></channel>'
            '<item rdf:about="http://n.example/1"><title>One</title><link>http://n.example/1</link>'
            "<description>Words</description></item></rdf:RDF>"
        ),
        FeedItem(id="http://n.example/1", link="http://n.example/1", title="One", summary="Words"),
    ),
    "rss": (rss("7"), WORDS),
    "atom01": (
        atom("http://purl.org/atom/ns#", version=' version="0.1"', entry="<id>tag:1</id>"),
        FeedItem(id="tag:1", link="http://n.example/1", title="One"),
    ),
    "atom02": (
        atom("http://purl.org/atom/ns#", version=' version="0.2"', entry="<id>tag:1</id>"),
        FeedItem(id="tag:1", link="http://n.example/1", title="One"),
    ),
    "atom03": (
        atom(
            "http://purl.org/atom/ns#",
            version=' version="0.3"',
            entry="<id>tag:1</id><issued>2003-12-13T08:29:29-04:00</issued>"
            "<modified>2003-12-13T18:30:02Z</modified>"
            '<summary type="text/plain" mode="escaped">Words</summary>',
        ),
        FeedItem(
            id="tag:1",
            link="http://n.example/1",
            title="One",
            summary="Words",
            published="2003-12-13T12:29:29+00:00",
            updated="2003-12-13T18:30:02+00:00",
        ),
    ),
    "atom10": (
        atom(
            "http://www.w3.org/2005/Atom",
            version="",
            entry="<id>tag:1</id><published>2003-12-13T08:29:29-04:00</published>"
            "<updated>2005-07-31T12:29:29Z</updated><author><name>Jo</name></author>"
            "<summary>Words</summary>",
        ),
        FeedItem(
            id="tag:1",
            link="http://n.example/1",
            title="One",
            summary="Words",
            author="Jo",
            published="2003-12-13T12:29:29+00:00",
            updated="2005-07-31T12:29:29+00:00",
        ),
    ),
    "cdf": (
        (
            '<?xml version="1.0"?><!DOCTYPE Channel SYSTEM "http://www.w3c.org/Channel.dtd">'
            '<CHANNEL HREF="http://n.example/" LASTMOD="1999-01-01T00:00"><TITLE>News</TITLE>'
            '<ITEM HREF="http://n.example/1" LASTMOD="1999-02-01T00:00"><TITLE>One</TITLE>'
            "<ABSTRACT>Words</ABSTRACT><LOGO HREF='logo.gif'/></ITEM></CHANNEL>"
        ),
        FeedItem(
            link="http://n.example/1",
            title="One",
            summary="Words",
            updated="1999-02-01T00:00:00+00:00",
        ),
    ),
}


def test_no_format_is_forgotten() -> None:
    documented = {name for name in feedparser.api.SUPPORTED_VERSIONS if name}
    other_than_xml = {name for name in documented if name.startswith("json")}
    nobody_knows_the_version = {"atom"}
    assert documented - other_than_xml - nobody_knows_the_version == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_format(name: str) -> None:
    text, expected = FORMATS[name]
    found, notes = read_xml_feed(
        text.encode(), content_type="application/xml", url="http://n.example/feed"
    )
    assert found == [expected]
    assert notes == ()


@pytest.mark.parametrize(
    "text",
    ["<channel/>", "<channel><title>TV</title></channel>", "<CHANNEL><SCHEDULE/></CHANNEL>"],
)
def test_a_channel_of_something_else_is_no_feed(text: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_xml_feed(text.encode(), content_type="", url="http://n.example/")
    assert caught.value.code == "not_a_feed"
