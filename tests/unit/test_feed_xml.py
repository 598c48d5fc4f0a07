"""RSS, Atom and RDF: every dialect, and every way of being broken or hostile."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.errors import SourceError
from entries.sources.base import Note
from entries.sources.feed.items import FeedItem
from entries.sources.feed.xml_feed import read_xml_feed
from tests.support.feeds import atom, rdf, rss, rss_item, rss_of

BASE = "http://news.example/feeds/all"


def parse(text: str | bytes, *, content_type: str = "application/xml") -> list[FeedItem]:
    body = text.encode() if isinstance(text, str) else text
    return read_xml_feed(body, content_type=content_type, url=BASE)[0]


def refused(text: str | bytes) -> SourceError:
    with pytest.raises(SourceError) as caught:
        parse(text)
    return caught.value


class TestDialects:
    def test_rss(self) -> None:
        assert parse(rss(rss_item(1))) == [
            FeedItem(id="id-1", link="http://news.example/1", title="Page 1")
        ]

    def test_a_permalink_is_a_link(self) -> None:
        found = parse(rss("<item><guid>http://n.example/1</guid></item>"))[0]
        assert (found.id, found.link) == ("http://n.example/1", "http://n.example/1")

    def test_atom(self) -> None:
        entry = (
            '<entry xml:base="http://base.example/x/"><id>tag:1</id><title>T</title>'
            '<link rel="self" href="self"/><link rel="alternate" href="one"/>'
            "<published>2030-01-01T12:00:00+02:00</published><updated>2030-01-02T00:00:00Z</updated>"
            "<author><name>Jo</name></author><summary>Words</summary></entry>"
        )
        assert parse(atom(entry)) == [
            FeedItem(
                id="tag:1",
                link="http://base.example/x/one",
                title="T",
                published="2030-01-01T10:00:00+00:00",
                updated="2030-01-02T00:00:00+00:00",
                author="Jo",
                summary="Words",
            )
        ]

    def test_rdf(self) -> None:
        item = (
            '<item rdf:about="http://n.example/1"><title>T</title><link>http://n.example/1</link>'
            "<dc:date>2030-01-01</dc:date><dc:creator>Jo</dc:creator></item>"
        )
        found = parse(rdf(item))[0]
        assert (found.id, found.link, found.title) == (
            "http://n.example/1",
            "http://n.example/1",
            "T",
        )
        assert (found.updated, found.author) == ("2030-01-01T00:00:00+00:00", "Jo")

    def test_rss_091_with_its_public_dtd(self) -> None:
        dtd = (
            '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
            '"http://my.netscape.com/publish/formats/rss-0.91.dtd">'
        )
        text = (
            f'<?xml version="1.0"?>{dtd}<rss version="0.91"><channel>{rss_item(1)}</channel></rss>'
        )
        assert [found.id for found in parse(text)] == ["id-1"]

    @pytest.mark.parametrize("text", [rss(), atom(), rdf()])
    def test_a_feed_without_items_is_a_feed(self, text: str) -> None:
        assert parse(text) == []

    @pytest.mark.parametrize("space", ["\n\n ", "\ufeff"])
    def test_white_space_before_the_declaration_is_forgiven(self, space: str) -> None:
        assert len(parse(space + rss_of([1, 2]))) == 2


class TestWords:
    @pytest.mark.parametrize(
        ("title", "words"),
        [
            ("<title>&lt;script&gt;alert(1)&lt;/script&gt;Hi</title>", "Hi"),
            ("<title><![CDATA[<script>alert(1)</script>Hi <b>you</b>]]></title>", "Hi you"),
            ("<title><![CDATA[<img src=x onerror=alert(1)>]]></title>", ""),
            ("<title>AT&amp;T &amp;amp; 1 &lt; 2</title>", "AT&T & 1 < 2"),
            ("<title>\n  many\n lines </title>", "many lines"),
            ("<title>\u202eRTL \U0001f642</title>", "\u202eRTL \U0001f642"),
            ("<title>" + "x" * 600 + "</title>", "x" * 499 + "…"),
        ],
    )
    def test_of_an_rss_title(self, title: str, words: str) -> None:
        assert parse(rss(f"<item><guid>1</guid>{title}</item>"))[0].title == words

    @pytest.mark.parametrize(
        ("title", "words"),
        [
            ("<title>&lt;b&gt; in HTML</title>", "<b> in HTML"),
            ('<title type="html">&lt;b&gt;bold&lt;/b&gt; &amp;lt;i&gt;</title>', "bold <i>"),
            (
                '<title type="xhtml"><div xmlns="x">a <b>bold</b> &lt;x&gt;</div></title>',
                "a bold <x>",
            ),
        ],
    )
    def test_of_an_atom_title(self, title: str, words: str) -> None:
        assert parse(atom(f"<entry><id>1</id>{title}</entry>"))[0].title == words

    def test_the_content_stands_in_for_a_summary(self) -> None:
        content = '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>One</p><p>two</p></div></content>'
        assert parse(atom(f"<entry><id>1</id>{content}</entry>"))[0].summary == "One two"
        encoded = "<content:encoded>&lt;p&gt;One&lt;/p&gt;two</content:encoded>"
        assert parse(rss(f"<item><guid>1</guid>{encoded}</item>"))[0].summary == "One two"

    def test_dates_that_are_none_are_left_empty(self) -> None:
        for date in ("yesterday", "Tue, 99 Foo 2030", "0000-00-00", "-", "x" * 1000):
            item = f"<item><guid>1</guid><pubDate>{date}</pubDate></item>"
            assert parse(rss(item))[0].published == ""

    @pytest.mark.parametrize(
        ("date", "read"),
        [
            ("Thu, 4 May 2017 19:40:17", "2017-05-04T19:40:17+00:00"),
            ("4 May 2017 19:40:17", "2017-05-04T19:40:17+00:00"),
            ("Thu, 4 May 2017 19:40", "2017-05-04T19:40:00+00:00"),
            ("2017-05-04T19:40:17", "2017-05-04T19:40:17+00:00"),
            ("2017-05-04 19:40:17", "2017-05-04T19:40:17+00:00"),
            ("Thu, 4 May 2017 19:40:17 EST", "2017-05-05T00:40:17+00:00"),
            ("Thu, 4 May 2017 19:40:17 +0200", "2017-05-04T17:40:17+00:00"),
        ],
    )
    def test_dates_without_a_zone_are_utc(self, date: str, read: str) -> None:
        text = rss(f"<item><guid>1</guid><pubDate>{date}</pubDate></item>")
        found, notes = read_xml_feed(text.encode(), content_type="", url=BASE)
        assert (found[0].published, notes) == (read, ())

    def test_dates_that_cannot_be_read_are_noted(self) -> None:
        text = rss(
            "<item><guid>1</guid><pubDate>yesterday</pubDate></item>"
            "<item><guid>2</guid><pubDate>Tue, 99 Foo 2030 12:00:00</pubDate></item>"
            "<item><guid>3</guid><pubDate/></item>"
        )
        found, notes = read_xml_feed(text.encode(), content_type="", url=BASE)
        assert [item.published for item in found] == ["", "", ""]
        assert notes == (Note("2 dates could not be read, such as 'yesterday'"),)


class TestBroken:
    @pytest.mark.parametrize(
        "text",
        [
            rss_of([1, 2])[:-10],
            rss_of([1, 2]).replace("</channel>", ""),
            rss_of([1]).replace("<title>Page 1", "<title>Page & 1"),
            rss_of([1]).replace("Page 1", "Page \x00 1"),
            rss_of([1]).replace("Page 1", "Page \x0b 1"),
            rss_of([1]).replace("Page 1", "&#0;"),
            rss_of([1]).replace("Page 1", "&#xD800;"),
            rss_of([1]) + rss_of([2]),
            rss("<item><foo:title>x</foo:title></item>"),
            rss('<item xmlns="a b c"><title>x</title></item>'),
            rss("<item>" + "<a>" * 500 + "</a>" * 500 + "</item>"),
        ],
    )
    def test_a_feed_that_is_not_well_formed_is_an_error_even_if_items_could_be_read(
        self, text: str
    ) -> None:
        error = refused(text)
        assert error.code == "malformed"
        assert str(error)

    def test_the_message_says_where(self) -> None:
        error = refused("<rss version='2.0'>\n<channel>\n <item></channel></rss>")
        assert str(error) == "broken XML in line 3, column 10: mismatched tag"

    @pytest.mark.parametrize(
        "text",
        [
            "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>Hi</title>",
            "<html><body><p>Not found</p></body></html>",
            "hello",
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
            "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'/>",
            "<?xml version='1.0'?>",
            "%PDF-1.7",
        ],
    )
    def test_what_is_no_feed(self, text: str) -> None:
        assert refused(text).code == "not_a_feed"

    def test_binary_data(self) -> None:
        assert refused(bytes(range(256)) * 10).code == "not_a_feed"


WHOLE = {
    "rss": rss(rss_item(1) + "<item><pubDate>Tue, 01 Jan 2030 12:00:00 GMT</pubDate></item>"),
    "atom": atom('<entry><id>1</id><link href="a"/><updated>2030-01-01</updated></entry>'),
    "rdf": rdf('<item rdf:about="http://n.example/1"><dc:date>2030</dc:date></item>'),
}


@given(
    st.sampled_from(sorted(WHOLE)), st.integers(0, 600), st.integers(0, 40), st.binary(max_size=20)
)
def test_any_damage_gives_items_or_a_clear_error(
    dialect: str, place: int, length: int, junk: bytes
) -> None:
    whole = WHOLE[dialect].encode()
    try:
        parse(whole[:place] + junk + whole[place + length :])
    except SourceError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


def bomb(levels: int = 9) -> str:
    entities = "".join(
        f'<!ENTITY e{n} "{"x" * 1000 if n == 0 else f"&e{n - 1};" * 50}">' for n in range(levels)
    )
    return f"<!DOCTYPE rss [{entities}]>"


class TestHostile:
    @pytest.mark.parametrize(
        "doctype",
        [
            bomb(),
            "<!-- <rss --><?x <rss?>" + bomb(),
            '<!DOCTYPE rss [<!ENTITY e8 SYSTEM "file:///etc/passwd">]>',
            '<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]>',
            f'<!DOCTYPE rss [<!ENTITY e8 "{"x" * 1_000_000}">]>',
        ],
    )
    def test_entities_of_its_own(self, doctype: str) -> None:
        before = time.monotonic()
        text = rss("<item><title>&e8;</title></item>")
        error = refused(text.replace("?>", f"?>{doctype}", 1))
        assert error.code == "not_allowed"
        assert "declares an entity" in str(error)
        assert time.monotonic() - before < 2

    @pytest.mark.parametrize(
        "item",
        [
            # feedparser alone takes minutes for each of these, or much longer.
            "<item><guid>1</guid><author>" + "a" * 2_000_000 + "</author></item>",
            "<item><guid>1</guid>"
            + "".join(f"<category>{n}</category>" for n in range(100_000))
            + "</item>",
            "<item><guid>1</guid>" + "<author>aaaa</author>" * 100_000 + "</item>",
            "<item><guid>1</guid><description>"
            + "&lt;a href='" * 300_000
            + "</description></item>",
            "<item><guid>1</guid><title>" + "&lt;!--" * 300_000 + "</title></item>",
            "<item><guid>1</guid><pubDate>" + "1-" * 1_000_000 + "</pubDate></item>",
        ],
    )
    def test_what_is_slow_elsewhere_is_quick_here(self, item: str) -> None:
        before = time.monotonic()
        assert [found.id for found in parse(rss(item))] == ["1"]
        assert time.monotonic() - before < 5

    def test_an_endless_attribute(self) -> None:
        error = refused(rss(f"<item><link href='{'a' * 5_000_000}'/></item>"))
        assert error.code == "malformed"
