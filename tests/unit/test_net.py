"""Fetching from strangers: what comes back, and what is made of it."""

import gzip
import socket
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from entries.errors import PermanentError, TransientError
from entries.net import (
    AddressRefused,
    BrokenAnswer,
    InvalidAddress,
    RequestRefused,
    ServerUnavailable,
    TooManyRedirects,
    Unreachable,
    fetch,
)
from entries.net.exchange import parse_retry_after
from tests.support.fetching import MEGABYTE, get
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("this_machine_is_allowed")


class TestAnswers:
    def test_body_headers_and_where_it_came_from(self, server: LocalServer) -> None:
        url = server.answer("/a", "hello", headers={"Content-Type": "text/plain"})
        answer = get(url)
        assert (answer.status, answer.body, answer.url) == (200, b"hello", url)
        assert answer.headers["content-type"] == "text/plain"
        assert answer.seconds > 0

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw-deflate"])
    def test_compressed_bodies_are_decoded(self, server: LocalServer, encoding: str) -> None:
        plain = b"hello " * 50_000
        raw = zlib.compressobj(wbits=-15)
        packed = {
            "gzip": gzip.compress(plain),
            "deflate": zlib.compress(plain),
            "raw-deflate": raw.compress(plain) + raw.flush(),
        }[encoding]
        name = encoding.removeprefix("raw-")
        url = server.answer("/a", packed, headers={"Content-Encoding": name})
        assert get(url).body == plain

    @pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 131_072, 262_144])
    def test_a_body_that_ends_on_a_step_of_the_decoder_is_whole(
        self, server: LocalServer, size: int
    ) -> None:
        url = server.answer("/a", gzip.compress(b"z" * size), headers={"Content-Encoding": "gzip"})
        assert len(get(url).body) == size

    @pytest.mark.parametrize(
        ("padding", "whole"),
        [(b"", True), (b"\0" * 512, True), (b"junk", True), (b"\x1f\x8b", False)],
    )
    @pytest.mark.parametrize("step", [1, 7, 4_096, 1_000_000])
    def test_several_members_of_gzip_are_one_body(
        self,
        server: LocalServer,
        padding: bytes,
        whole: bool,  # noqa: FBT001
        step: int,
    ) -> None:
        parts = [b"<title>", b"", b"Whole page", b"x" * 1_000]
        data = b"".join(map(gzip.compress, parts)) + padding

        def chunks() -> Iterator[bytes]:
            yield from (data[at : at + step] for at in range(0, len(data), step))

        url = server.answer("/a", chunks=chunks, headers={"Content-Encoding": "gzip"})
        if whole:
            assert get(url).body == b"".join(parts)
        else:
            with pytest.raises(BrokenAnswer, match="is incomplete"):
                get(url)

    @pytest.mark.parametrize("last", [gzip.compress(b"", mtime=0)[:-4], b"\x1f\x8b\x08junk junk"])
    def test_a_member_that_breaks_off_breaks_the_whole(
        self, server: LocalServer, last: bytes
    ) -> None:
        body = gzip.compress(b"first") + last
        url = server.answer("/a", body, headers={"Content-Encoding": "x-gzip"})
        with pytest.raises(BrokenAnswer):
            get(url)

    @pytest.mark.parametrize(
        "encoding", ["UTF-8", "none", "binary", "utf-8, identity", "ISO-8859-1", ",", "x" * 500]
    )
    def test_a_token_that_names_no_compression_is_none(
        self, server: LocalServer, encoding: str
    ) -> None:
        url = server.answer("/a", b"plain", headers={"Content-Encoding": encoding})
        assert get(url).body == b"plain"
        packed = {"Content-Encoding": f"{encoding}, GZIP"}
        url = server.answer("/a", gzip.compress(b"plain"), headers=packed)
        assert get(url).body == b"plain"

    def test_user_and_password_of_the_url_are_sent_and_not_shown(self, server: LocalServer) -> None:
        server.answer("/a", status=403)
        with pytest.raises(RequestRefused) as caught:
            get(f"http://me:s%40cret@127.0.0.1:{server.port}/a?token=abc")
        assert server.received[0].headers["authorization"] == "Basic bWU6c0BjcmV0"
        assert str(caught.value) == f"HTTP 403 from http://127.0.0.1:{server.port}/a?…"

    def test_proxies_of_the_environment_are_not_used(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
        assert get(server.answer("/a", "direct")).body == b"direct"

    def test_the_path_and_query_are_sent_as_given(self, server: LocalServer) -> None:
        server.answer("/a%20b/%C3%A9")
        get(server.url("/a b/é?q=1&r=%20#part"))
        assert server.received[0].path == "/a%20b/%C3%A9?q=1&r=%20"


class TestStatuses:
    @pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
    def test_some_may_be_tried_again(self, server: LocalServer, status: int) -> None:
        with pytest.raises(TransientError, match=f"^HTTP {status} from http://127.0.0.1:"):
            get(server.answer("/a", status=status))

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451, 304, 300])
    def test_others_may_not(self, server: LocalServer, status: int) -> None:
        with pytest.raises(PermanentError, match=f"^HTTP {status} from http://127.0.0.1:"):
            get(server.answer("/a", status=status))

    def test_a_wait_that_was_asked_for_is_passed_on(self, server: LocalServer) -> None:
        with pytest.raises(ServerUnavailable) as caught:
            get(server.answer("/a", status=503, headers={"Retry-After": "120"}))
        assert caught.value.retry_after == 120

    def test_a_304_answers_a_conditional_request(self, server: LocalServer) -> None:
        url = server.answer("/a", status=304)
        answer = fetch(url, seconds=5, max_bytes=10, headers={"If-None-Match": '"x"'})
        assert (answer.status, answer.body) == (304, b"")
        assert server.received[0].headers["if-none-match"] == '"x"'


NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("17", 17.0),
        (" 0 ", 0.0),
        (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120.0),
        (format_datetime(NOW - timedelta(minutes=2), usegmt=True), 0.0),
        ("Tue, 01 Jan 2030 12:00:30", 30.0),
        ("-5", None),
        ("soon", None),
        ("9" * 5000, None),
        ("Tue, 99 Foo 2030", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == seconds


class TestRedirects:
    def test_are_followed_with_relative_addresses(self, server: LocalServer) -> None:
        server.answer("/old/a", status=302, headers={"Location": "../new?x=1"})
        server.answer("/new", "here")
        answer = get(server.url("/old/a"))
        assert (answer.body, answer.url) == (b"here", server.url("/new?x=1"))

    def test_a_circle_is_left(self, server: LocalServer) -> None:
        server.answer("/a", status=301, headers={"Location": "/b"})
        server.answer("/b", status=301, headers={"Location": "/a"})
        with pytest.raises(TooManyRedirects, match="in a loop"):
            get(server.url("/a"))
        assert len(server.received) == 2

    def test_a_long_chain_is_left(self, server: LocalServer) -> None:
        for n in range(10):
            server.answer(f"/{n}", status=307, headers={"Location": f"/{n + 1}"})
        with pytest.raises(TooManyRedirects, match="more than 5 redirects"):
            get(server.url("/0"))
        assert len(server.received) == 6

    @pytest.mark.parametrize(
        "location",
        ["file:///etc/passwd", "ftp://example.org/", "gopher://x", "javascript:alert(1)"],
    )
    def test_other_schemes_are_refused(self, server: LocalServer, location: str) -> None:
        with pytest.raises(InvalidAddress, match="only absolute http and https URLs"):
            get(server.answer("/a", status=302, headers={"Location": location}))

    @pytest.mark.parametrize(
        "host", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "[::1]", "[::ffff:10.0.0.1]", "0"]
    )
    def test_a_redirect_into_the_private_network_is_refused(
        self, server: LocalServer, host: str
    ) -> None:
        to = f"http://{host}:{server.port}/secret"
        with pytest.raises(AddressRefused, match="not a public address"):
            get(server.answer("/a", status=302, headers={"Location": to}))
        assert [request.path for request in server.received] == ["/a"]

    @pytest.mark.parametrize("absolute", [True, False])
    def test_credentials_stay_within_their_origin(
        self,
        server: LocalServer,
        absolute: bool,  # noqa: FBT001
    ) -> None:
        to = server.url("/b") if absolute else "/b"
        server.answer("/a", status=301, headers={"Location": to})
        server.answer("/b", "ok")
        answer = get(f"http://me:pw@127.0.0.1:{server.port}/a")
        sent = [request.headers.get("authorization") for request in server.received]
        assert sent == ["Basic bWU6cHc="] * 2
        assert "pw" not in answer.url

    def test_credentials_in_headers_do_not_travel_either_and_do_not_come_back(
        self, server: LocalServer, settings: Any
    ) -> None:
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
        server.answer("/a", status=302, headers={"Location": server.url("/b", host="localhost")})
        server.answer("/b", status=302, headers={"Location": server.url("/c")})
        server.answer("/c", "ok")
        headers = {"Authorization": "Bearer x", "Cookie": "a=b", "Accept": "text/html"}
        url = f"http://me:pw@127.0.0.1:{server.port}/a"
        fetch(url, seconds=5, max_bytes=MEGABYTE, headers=headers)
        for request in server.received[1:]:
            assert not {"authorization", "cookie"} & set(request.headers)
            assert request.headers["accept"] == "text/html"

    def test_credentials_do_not_travel_to_another_host(
        self, server: LocalServer, settings: Any
    ) -> None:
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
        there = server.url("/b", host="localhost")
        server.answer("/a", status=302, headers={"Location": there})
        server.answer("/b")
        get(f"http://me:pw@127.0.0.1:{server.port}/a")
        assert "authorization" in server.received[0].headers
        assert "authorization" not in server.received[1].headers


class TestBrokenAnswers:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"hello\r\n\r\n",
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nBad Header\x00: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"\x16\x03\x01\x00\x00\xff\xfe",
        ],
    )
    def test_are_transient(self, server: LocalServer, data: bytes) -> None:
        with pytest.raises(TransientError) as caught:
            get(server.answer_raw("/a", lambda wire: wire.write(data)))
        assert isinstance(caught.value, BrokenAnswer | Unreachable)

    def test_a_header_that_cannot_be_sent(self, server: LocalServer) -> None:
        url = server.answer("/a")
        with pytest.raises(InvalidAddress, match="cannot be requested"):
            fetch(url, seconds=5, max_bytes=10, headers={"If-None-Match": "a\nb"})

    @pytest.mark.parametrize("cut", [5, 200])
    def test_damaged_compression(self, server: LocalServer, cut: int) -> None:
        whole = gzip.compress(bytes(range(256)) * 10)
        url = server.answer("/a", whole[:cut], headers={"Content-Encoding": "gzip"})
        with pytest.raises(BrokenAnswer, match="is incomplete from http"):
            get(url)
        url = server.answer("/b", b"not gzip at all", headers={"Content-Encoding": "gzip"})
        with pytest.raises(BrokenAnswer, match="is damaged from http"):
            get(url)

    def test_nobody_listens(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            with pytest.raises(Unreachable, match="Connection refused"):
                get(f"http://127.0.0.1:{port}/")

    def test_no_tls_where_tls_was_expected(self, server: LocalServer) -> None:
        with pytest.raises(Unreachable, match="no connection to https://127"):
            get(server.url("/").replace("http:", "https:"))
