"""JSON Feed."""

import json
from typing import Any

import pytest

from entries.errors import SourceError
from entries.sources.feed.items import FeedItem
from entries.sources.feed.json_feed import looks_like_json, read_json_feed
from tests.support.feeds import json_feed

BASE = "https://news.example/feed.json"


def parse(text: str | bytes) -> list[FeedItem]:
    body = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return read_json_feed(body, url=BASE)[0]


def one(**item: Any) -> FeedItem:
    return parse(json_feed([item]))[0]


@pytest.mark.parametrize("version", ["1", "1.1"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_whole_item(version: str, scheme: str) -> None:
    item = {
        "id": "7",
        "url": "/7",
        "title": "Seven",
        "content_html": "<p>Some <b>words</b></p>",
        "date_published": "2030-01-01T12:00:00+02:00",
        "date_modified": "2030-01-02T00:00:00Z",
        "authors": [{"name": "Jo"}, {"name": "Mo"}, {"url": "x"}],
    }
    text = json_feed([item], version=f"{scheme}://jsonfeed.org/version/{version}")
    assert parse(text) == [
        FeedItem(
            id="7",
            link="https://news.example/7",
            title="Seven",
            published="2030-01-01T10:00:00+00:00",
            updated="2030-01-02T00:00:00+00:00",
            author="Jo, Mo",
            summary="Some words",
        )
    ]


def test_the_one_author_of_version_1() -> None:
    assert one(id="1", author={"name": "Jo"}).author == "Jo"


def test_numbers_are_ids_and_other_things_are_not() -> None:
    assert one(id=17).id == "17"
    assert one(id=1.5).id == "1.5"
    assert {one(id=odd).id for odd in (None, True, [1], {"a": 1})} == {""}


def test_text_comes_before_markup() -> None:
    assert one(summary="s", content_text="t", content_html="h").summary == "s"
    assert one(content_text="1 < 2 <b>", content_html="h").summary == "1 < 2 <b>"


@pytest.mark.parametrize(
    "field", ["url", "title", "summary", "date_published", "author", "authors", "content_html"]
)
@pytest.mark.parametrize("value", [None, 17, True, [], {}, [1], {"name": 2}, "x" * 100])
def test_any_type_anywhere_is_survived(field: str, value: object) -> None:
    assert one(id="1", **{field: value}).id == "1"


def test_what_postgresql_cannot_store_is_replaced() -> None:
    found = one(id="a\x00b", title="<script>\ud800\x00", url="http://x/\x00")
    assert (found.id, found.title) == ("a\ufffdb", "<script>\ufffd\ufffd")
    assert "\x00" not in found.link


def test_a_link_that_is_no_address_stays_what_it_is() -> None:
    assert one(id="1", url="http://[x").link == "http://[x"


def test_items_that_are_no_objects_are_empty() -> None:
    assert parse(json_feed([1, None, "x", []])) == [FeedItem()] * 4


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("{}", "not_a_feed", "JSON, but not a JSON Feed"),
        ("[]", "not_a_feed", "JSON, but not a JSON Feed"),
        ('{"version": 1, "items": []}', "not_a_feed", "JSON, but not a JSON Feed"),
        ('{"version": "https://jsonfeed.org/version/1"}', "malformed", 'no list of "items"'),
        ('{"version": \n "x', "malformed", "broken JSON in line 2, column 2: "),
        ('{"a":' * 100_000, "malformed", "nested too deep, or a number with too many digits"),
        (
            '{"a": ' + "9" * 10_000 + "}",
            "malformed",
            "nested too deep, or a number with too many digits",
        ),
    ],
)
def test_what_is_refused(text: str, code: str, message: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse(text)
    assert caught.value.code == code
    assert message in str(caught.value)


def test_a_bad_byte_is_one_character() -> None:
    body = json_feed([{"id": "1", "title": "Caf?"}]).encode().replace(b"?", b"\xe9")
    found, notes = read_json_feed(body, url=BASE)
    assert found == [FeedItem(id="1", title="Caf\ufffd")]
    (note,) = notes
    assert note.partial
    assert "bytes that are not valid utf-8" in note.text
    with pytest.raises(SourceError, match="not UTF-8 at byte 7"):
        parse(b'{"a": "\xff')
    assert parse(b"\xef\xbb\xbf" + json_feed([]).encode()) == []


def test_how_json_is_told_from_xml() -> None:
    assert looks_like_json(b' \n{"a"')
    assert looks_like_json(b"\xef\xbb\xbf[")
    assert not looks_like_json(b"<rss>")
    assert not looks_like_json(json.dumps("x").encode())
