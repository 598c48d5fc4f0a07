"""What feeds say: characters, encodings and ids, as they are meant."""

import time

import pytest

from entries.sources.base import Note
from entries.sources.feed.items import FeedItem
from entries.sources.feed.xml_feed import read_xml_feed
from tests.support.feeds import atom, rss, rss_item, rss_of
from tests.unit.test_feed_xml import BASE, parse


class TestCharactersWithNames:
    DTD = (
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" '
        '"http://my.netscape.com/publish/formats/rss-0.91.dtd">'
    )
    OWN = '<!DOCTYPE rss [<!ENTITY nbsp "&#160;"><!ENTITY eacute "é">]>'

    @pytest.mark.parametrize("doctype", ["", DTD, OWN, "<!DOCTYPE rss>"])
    @pytest.mark.parametrize("standalone", ["", ' standalone="yes"'])
    def test_they_are_their_characters(self, doctype: str, standalone: str) -> None:
        item = (
            "<item><guid isPermaLink='false'>caf&eacute;-1</guid><title>Caf&eacute; &mdash; "
            "1 &lt; 2 &Aacute;</title>"
            "<description>5&nbsp;&euro; &amp;hellip; &NotEqualTilde;</description></item>"
        )
        text = rss(item).replace("?>", f"{standalone}?>{doctype}", 1)
        found, notes = read_xml_feed(text.encode(), content_type="", url=BASE)
        assert found == [FeedItem(id="café-1", title="Café — 1 < 2 Á", summary="5 € … ≂̸")]
        assert notes == ()

    def test_in_addresses(self) -> None:
        text = atom('<entry><id>1</id><link href="http://n.example/caf&eacute;?a=&quot;"/></entry>')
        assert parse(text)[0].link == 'http://n.example/café?a="'

    def test_one_that_nobody_knows_stays_as_it_is_written(self) -> None:
        text = rss("<item><guid>1&foo;2</guid><title>&foo; &LT;b&GT; &AMP;amp;</title></item>")
        found = parse(text)[0]
        assert (found.id, found.title) == ("1&foo;2", "&foo; &")

    def test_many_names_are_quick(self) -> None:
        names = "".join(f"&n{n};" for n in range(2_000)) + "&eacute;" * 500_000
        before = time.monotonic()
        assert parse(rss(f"<item><guid>1</guid><title>{names}</title></item>"))[0].id == "1"
        assert time.monotonic() - before < 5


class TestIdsAsWritten:
    def test_one_of_atom_is_no_address(self) -> None:
        entry = "<entry><id>posts/1</id><title>One</title><link href='posts/1'/></entry>"
        text = atom(entry).replace("<feed ", '<feed xml:base="http://b.example/x/" ')
        assert parse(text) == [
            FeedItem(
                id="posts/1",
                link="http://b.example/x/posts/1",
                title="One",
                former_ids=("http://b.example/x/posts/1", "https://b.example/x/posts/1"),
            )
        ]

    def test_a_permalink_that_is_the_link_is_an_address_as_a_link(self) -> None:
        text = rss("<item><guid>1</guid></item>").replace(
            "<channel>", '<channel xml:base="http://b.example/">'
        )
        assert (parse(text)[0].id, parse(text)[0].link) == ("1", "http://b.example/1")

    @pytest.mark.parametrize("id_", ["Ã¤", "urn:item:0", "urn:item:7", "a  b", "\x80"])
    def test_whatever_it_looks_like(self, id_: str) -> None:
        item = f"<item><guid isPermaLink='false'> {id_} </guid></item>"
        assert [found.id for found in parse(rss(item * 2))] == [id_.replace("\x80", "\ufffd")] * 2


class TestEncodings:
    def test_as_declared(self) -> None:
        text = rss(rss_item(1, title="café")).replace("utf-8", "iso-8859-1")
        assert parse(text.encode("latin-1"))[0].title == "café"

    def test_the_header_beats_the_declaration(self) -> None:
        data = rss(rss_item(1, title="café")).encode("cp1251", "xmlcharrefreplace")
        data = data.replace(b"caf&#233;", "кафе".encode("cp1251"))
        found = parse(data, content_type="text/xml; charset=windows-1251")
        assert found[0].title == "кафе"

    def test_utf_16_by_its_mark(self) -> None:
        assert parse(rss(rss_item(1, title="café")).encode("utf-16"))[0].title == "café"

    @pytest.mark.parametrize(
        "content_type", ["application/xml", "text/xml; charset=utf-8", "text/html;charset=nonsense"]
    )
    def test_bytes_that_make_no_text_are_noted_and_the_rest_is_read(
        self, content_type: str
    ) -> None:
        data = rss(rss_item(1, title="café") + rss_item("ü")).encode()
        data = data.replace("é".encode(), b"\xe9")
        found, notes = read_xml_feed(data, content_type=content_type, url=BASE)
        assert [(item.id, item.title) for item in found] == [
            ("id-1", "caf\ufffd"),
            ("id-ü", "Page ü"),
        ]
        place = data.index(b"\xe9") + 1
        text = f"bytes that are not valid utf-8 became U+FFFD, the first at byte {place}"
        assert notes == (Note(text, partial=True),)

    @pytest.mark.parametrize(
        ("label", "encoding", "title"),
        [
            ("gb2312", "gb18030", "镕金工坊 \U0002070e"),
            ("GBK", "gb18030", "镕 €"),
            ("iso-8859-1", "cp1252", "“5 €”"),
            ("latin1", "cp1252", "…"),
            ("us-ascii", "cp1252", "é"),
            ("iso-8859-9", "cp1254", "“ğ”"),
            ("tis-620", "cp874", "“ก”"),
            ("shift_jis", "cp932", "①髙"),
            ("x-sjis", "cp932", "纊"),
            ("euc-kr", "cp949", "똠"),
            ("ks_c_5601-1987", "cp949", "펲시"),
            ("big5", "big5hkscs", "㗎"),
            ("utf8", "utf-8", "é"),
            ("utf-16", "utf-8", "é"),
        ],
    )
    def test_labels_are_what_the_web_takes_them_for(
        self, label: str, encoding: str, title: str
    ) -> None:
        data = rss(rss_item(1, title="?!")).replace('"utf-8"', f'"{label}"').encode()
        data = data.replace(b"?!", title.encode(encoding))
        found, notes = read_xml_feed(data, content_type="text/xml", url=BASE)
        assert (found[0].title, notes) == (title, ())

    @pytest.mark.parametrize("label", ["gb18030", "shift_jis", "big5", "euc-kr", "euc-jp"])
    def test_a_bad_byte_takes_no_markup_along(self, label: str) -> None:
        data = rss(rss_item(1, title="?!") + rss_item(2)).replace('"utf-8"', f'"{label}"').encode()
        found, notes = read_xml_feed(
            data.replace(b"?!", b"a\x81"), content_type="text/xml", url=BASE
        )
        assert [item.id for item in found] == ["id-1", "id-2"]
        assert found[0].title == "a\ufffd"
        assert len(notes) == 1

    @pytest.mark.parametrize("name", ["punycode", "idna", "unicode_escape", "hex", "zlib"])
    def test_codecs_that_are_traps_are_not_used(self, name: str) -> None:
        text = rss(rss_of([])[:0] + rss_item(1)).replace("utf-8", name)
        before = time.monotonic()
        assert len(parse(text + " " * 1_000_000, content_type=f"text/xml; charset={name}")) == 1
        assert time.monotonic() - before < 5
