"""The kind of source "feed", over the wire."""

import time
from typing import Any

import pytest

from entries.errors import SourceError
from entries.sources import registry
from entries.sources.base import Invalid, Reading, SourceItem, SourceSpec
from entries.sources.items import AGAIN
from entries.sources.sync.batches import collect_batches
from tests.support.feeds import json_feed, rss, rss_item, rss_of
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("private_addresses")


def read(url: str, *, etag: str = "", last_modified: str = "") -> Reading:
    spec = SourceSpec("news", url, etag=etag, last_modified=last_modified)
    return registry.get("feed").read(spec)


def items(url: str) -> list[SourceItem]:
    return items_of(read(url))


def items_of(reading: Reading) -> list[SourceItem]:
    return [item for item in reading.items if isinstance(item, SourceItem)]


def refused(url: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(url)
    return caught.value


def test_what_an_item_becomes(server: LocalServer) -> None:
    url = server.answer(
        "/feed",
        rss(
            "<item><guid isPermaLink='false'>17</guid><title>Café &amp; more</title>"
            "<link>/17?a=1&amp;b=2</link><pubDate>Tue, 01 Jan 2030 12:00:00 +0200</pubDate>"
            "<dc:creator>Jo</dc:creator><description>&lt;p&gt;Some &lt;b&gt;words&lt;/b&gt;"
            "&lt;/p&gt;</description></item>"
        ),
        headers={"Content-Type": "application/rss+xml"},
    )
    assert items(url) == [
        SourceItem(
            external_id="17",
            title="Café & more",
            payload={
                "url": server.url("/17?a=1&b=2"),
                "title": "Café & more",
                "published": "2030-01-01T10:00:00+00:00",
                "updated": "",
                "author": "Jo",
                "summary": "Some words",
            },
        )
    ]


def test_a_feed_that_moved_keeps_its_ids(server: LocalServer) -> None:
    server.answer("/new/feed", rss("<item><guid>17</guid><link>a</link></item>"))
    url = server.answer("/old", status=301, headers={"Location": "/new/feed"})
    assert [(i.external_id, i.payload["url"]) for i in items(url)] == [("17", server.url("/new/a"))]


class TestIds:
    def test_an_item_without_id_goes_by_its_link(self, server: LocalServer) -> None:
        url = server.answer("/f", rss("<item><link>http://n.example/1</link></item>"))
        assert [item.external_id for item in items(url)] == ["http://n.example/1"]

    def test_an_item_without_id_and_link_goes_by_what_it_says(self, server: LocalServer) -> None:
        one = "<item><title>One</title><pubDate>Tue, 01 Jan 2030 12:00:00 GMT</pubDate></item>"
        url = server.answer("/f", rss(one + one.replace("One", "Two")))
        first, second = items(url)
        assert first.external_id.startswith("sha256:")
        assert first.external_id != second.external_id
        assert [item.external_id for item in items(url)] == [
            first.external_id,
            second.external_id,
        ]

    def test_an_item_with_nothing_is_left_out_and_counted(self, server: LocalServer) -> None:
        url = server.answer("/f", rss("<item/><item><author>Jo</author></item>" + rss_item(1)))
        reading = read(url)
        assert [item.external_id for item in items_of(reading)] == ["id-1"]
        left_out = [row for row in read(url).items if isinstance(row, Invalid)]
        assert left_out == [Invalid("without id, link, title and text")] * 2
        assert reading.total == 3

    def test_of_two_with_one_id_the_first_counts(self, server: LocalServer) -> None:
        url = server.answer("/f", rss(rss_item(1, title="first") + rss_item(1, title="again")))
        (batch,) = collect_batches(read(url).items)
        assert [item.title for item in batch.items.values()] == ["first"]
        assert batch.invalid == [Invalid(AGAIN, external_id="id-1")]

    def test_long_ids_stay_apart(self, server: LocalServer) -> None:
        long = "x" * 600
        url = server.answer("/f", rss(rss_item(long + "a") + rss_item(long + "b")))
        ids = [item.external_id for item in items(url)]
        assert len(set(ids)) == 2
        assert {len(id_) for id_ in ids} == {500}


class TestConditionalRequests:
    def test_validators_are_kept_and_sent_back(self, server: LocalServer) -> None:
        date = "Tue, 01 Jan 2030 12:00:00 GMT"
        headers = {"ETag": 'W/"v1"', "Last-Modified": date}
        reading = read(server.answer("/f", rss_of([1]), headers=headers))
        assert (reading.etag, reading.last_modified) == ('W/"v1"', date)

        url = server.answer("/f", status=304)
        again = read(url, etag=reading.etag, last_modified=reading.last_modified)
        assert again.not_modified
        assert list(again.items) == []
        sent = server.received[-1].headers
        assert (sent["if-none-match"], sent["if-modified-since"]) == ('W/"v1"', date)

    def test_a_304_that_nobody_asked_for_is_an_error(self, server: LocalServer) -> None:
        assert refused(server.answer("/f", status=304)).code == "http_error"

    @pytest.mark.parametrize("etag", ['"' + "x" * 600 + '"', '"caf\u00e9"', "\x01"])
    def test_validators_that_could_not_be_sent_back_are_dropped(
        self, server: LocalServer, etag: str
    ) -> None:
        url = server.answer("/f", rss_of([1]), headers={"ETag": etag})
        assert read(url).etag == ""


class TestTrouble:
    @pytest.mark.parametrize("status", [401, 404, 410, 500, 503])
    def test_http_errors(self, server: LocalServer, status: int) -> None:
        error = refused(server.answer("/f", status=status))
        assert error.code == "http_error"
        assert str(error).startswith(f"HTTP {status} from http://127.0.0.1")

    @pytest.mark.parametrize("location", ["file:///etc/passwd", "/etc/passwd", "ftp://x/", ""])
    def test_only_the_web_is_read(self, location: str) -> None:
        assert refused(location).code == "invalid_address"

    def test_private_addresses(self, server: LocalServer, settings: Any) -> None:
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = False
        assert refused(server.answer("/f", rss_of([1]))).code == "not_allowed"
        assert server.received == []

    def test_unreachable(self, server: LocalServer) -> None:
        nobody = server.url("/", host="127.0.0.2")
        assert refused(nobody).code == "unreachable"

    @pytest.mark.parametrize("body", [b"", b"  \r\n "])
    def test_nothing(self, server: LocalServer, body: bytes) -> None:
        assert refused(server.answer("/f", body)).code == "empty"

    def test_too_large(self, server: LocalServer, settings: Any) -> None:
        settings.REDRIVE_FEED_MAX_BYTES = 1000
        assert refused(server.answer("/f", rss_of(range(50)))).code == "too_large"

    def test_too_slow(self, server: LocalServer, settings: Any) -> None:
        settings.REDRIVE_FEED_TIME_LIMIT = 0.3
        before = time.monotonic()
        assert refused(server.answer("/f", chunks=server.drip)).code == "timed_out"
        assert time.monotonic() - before < 2

    def test_redirects_in_a_circle(self, server: LocalServer) -> None:
        url = server.answer("/f", status=302, headers={"Location": "/f"})
        assert refused(url).code == "redirects"


class TestCheckingTheLocation:
    def problems(self, location: str, **options: Any) -> list[str]:
        return registry.get("feed").problems_with(SourceSpec("news", location, options))

    def test_a_good_one(self) -> None:
        assert self.problems("https://news.example/feed") == []

    def test_bad_ones(self) -> None:
        assert "only absolute http and https URLs" in self.problems("news.example")[0]
        assert self.problems("http://news.example", depth=1) == [
            "a feed takes no options, but got depth"
        ]


def test_a_json_feed_over_the_wire(server: LocalServer) -> None:
    url = server.answer("/f", json_feed([{"id": 7, "url": "/7"}]))
    assert [(i.external_id, i.payload["url"]) for i in items(url)] == [("7", server.url("/7"))]
