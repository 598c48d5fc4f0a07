"""What is no feed says so on its source and changes nothing else; what is one is read right."""

from collections.abc import Callable, Iterator

import pytest

from entries.errors import SourceError
from entries.models import Entry, Source
from tests.support.feeds import json_feed, rss, rss_item, rss_of
from tests.support.fetching import MEGABYTE, peak_memory
from tests.support.http import LocalServer
from tests.support.syncing import sync

pytestmark = pytest.mark.django_db(transaction=True)

BOMB = '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'


@pytest.fixture
def source(server: LocalServer) -> Source:
    url = server.answer("/feed", rss_of([1, 2]), headers={"ETag": '"v1"'})
    made = Source.objects.create(
        slug="news", name="News", kind="feed", location=url, entry_kind="page"
    )
    sync(made)
    return made


def large() -> Iterator[bytes]:
    yield rss(rss_item(1)).removesuffix("</channel></rss>").encode()
    for _ in range(200):
        yield b"x" * MEGABYTE


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (rss_of([3, 4])[:-20].encode(), "malformed"),
        (b"<!DOCTYPE html><html><body><p>Down for maintenance</p></body></html>", "not_a_feed"),
        (b"<html><p>Not <br> even <b>well-formed</p></html>", "not_a_feed"),
        (BOMB.encode() + rss("<item><title>&b;</title></item>").encode(), "not_allowed"),
        (b'{"items": []}', "not_a_feed"),
        (json_feed([{"id": "9"}])[:-5].encode(), "malformed"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not_a_feed"),
    ],
)
def test_a_clear_error_and_nothing_else_changed(
    body: bytes, code: str, server: LocalServer, source: Source
) -> None:
    check_refused(lambda: server.answer("/feed", body), code, source)


def test_200_megabytes(server: LocalServer, source: Source) -> None:
    with peak_memory(below=60 * MEGABYTE):
        check_refused(lambda: server.answer("/feed", chunks=large), "too_large", source)


def check_refused(answer: Callable[[], object], code: str, source: Source) -> None:
    before = list(Entry.objects.order_by("id").values())
    known = dict(Source.objects.values().get())
    answer()
    with pytest.raises(SourceError) as caught:
        sync(source)
    assert caught.value.code == code
    assert list(Entry.objects.order_by("id").values()) == before
    after = dict(Source.objects.values().get())
    assert after == known | {"last_error": str(caught.value)}


def test_without_ids_links_tell_items_apart(server: LocalServer, source: Source) -> None:
    items = "".join(
        f"<item><title>T{n}</title><link>http://n.example/{n}</link></item>" for n in (7, 8)
    )
    server.answer("/feed", rss(items))
    assert sync(source).created == 2
    assert sync(source).unchanged == 2


def test_of_two_with_one_id_the_first_counts(server: LocalServer, source: Source) -> None:
    server.answer("/feed", rss(rss_item(9, title="first") + rss_item(9, title="second")))
    report = sync(source)
    assert report.created == 1
    assert Entry.objects.get(external_id="id-9").title == "first"
    assert any("the id is repeated" in note for note in report.notes)


def test_a_json_feed(server: LocalServer, source: Source) -> None:
    server.answer("/feed", json_feed([{"id": "j", "url": "http://n.example/j", "title": "J"}]))
    assert sync(source).created == 1
    assert Entry.objects.get(external_id="j").payload["url"] == "http://n.example/j"
