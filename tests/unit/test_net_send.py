"""Sending to strangers: whatever they answer, and whatever they do with the line."""

import gzip
import socket
import time
from collections.abc import Iterator
from io import BufferedIOBase

import pytest

from entries.errors import TransientError
from entries.net import (
    AddressRefused,
    Answer,
    BrokenAnswer,
    InvalidAddress,
    TimedOut,
    Unreachable,
    send,
)
from tests.support.fetching import compressed_zeros, peak_memory
from tests.support.http import LocalServer

MEGABYTE = 1_000_000


pytestmark = pytest.mark.usefixtures("this_machine_is_allowed")


def post(url: str, body: bytes = b"{}", *, seconds: float = 5.0, max_bytes: int = 1000) -> Answer:
    return send(url, body=body, headers={"X-One": "1"}, seconds=seconds, max_bytes=max_bytes)


def test_body_and_headers_arrive_and_the_answer_comes_back(server: LocalServer) -> None:
    url = server.answer("/a", "thanks", headers={"Content-Type": "text/plain"})
    answer = post(url, "Grüße".encode())
    assert (answer.status, answer.body, answer.url, answer.cut) == (200, b"thanks", url, False)
    (got,) = server.received
    assert (got.method, got.body, got.headers["x-one"]) == ("POST", "Grüße".encode(), "1")
    assert got.headers["content-length"] == "7"


def test_the_host_of_an_ipv6_literal_has_its_brackets(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, port, *_, **__: [(2, 1, 6, "", ("127.0.0.1", port))]
    )
    server.answer("/a")
    post(f"http://[::1]:{server.port}/a")
    post(f"http://me:pw@n.example:{server.port}/a")
    hosts = [request.headers["host"] for request in server.received]
    assert hosts == [f"[::1]:{server.port}", f"n.example:{server.port}"]


@pytest.mark.parametrize("status", [201, 204, 301, 304, 400, 404, 410, 429, 500, 503, 599])
def test_any_status_is_an_answer(server: LocalServer, status: int) -> None:
    url = server.answer("/a", status=status, headers={"Location": "/b"})
    assert post(url).status == status
    assert [request.path for request in server.received] == ["/a"], "no redirect is followed"


def test_a_body_of_the_limit_is_whole_and_a_longer_one_is_cut(server: LocalServer) -> None:
    whole = post(server.answer("/a", b"x" * 1000))
    longer = post(server.answer("/b", b"x" * 1001))
    assert (len(whole.body), whole.cut) == (1000, False)
    assert (len(longer.body), longer.cut) == (1000, True)


def test_two_hundred_megabytes_do_not_enter_memory(server: LocalServer) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(200):
            yield b"x" * MEGABYTE
            sent += 1

    url = server.answer("/a", chunks=body)
    with peak_memory(below=8 * MEGABYTE):
        answer = post(url)
    assert (answer.status, len(answer.body), answer.cut) == (200, 1000, True)
    assert sent < 100


def test_a_compression_bomb_is_cut_at_the_limit(server: LocalServer) -> None:
    bomb = compressed_zeros(300 * MEGABYTE, wbits=31)
    url = server.answer("/a", bomb, headers={"Content-Encoding": "gzip"})
    with peak_memory(below=6 * MEGABYTE):
        answer = post(url)
    assert (len(answer.body), answer.cut) == (1000, True)


@pytest.mark.parametrize(
    "headers",
    [b"Content-Length: 100", b"Transfer-Encoding: chunked", b"Content-Encoding: gzip"],
)
def test_a_body_that_breaks_off_does_not_undo_the_status(
    server: LocalServer, headers: bytes
) -> None:
    def write(wire: BufferedIOBase) -> None:
        wire.write(b"HTTP/1.1 202 OK\r\n" + headers + b"\r\n\r\nshort")

    answer = post(server.answer_raw("/a", write))
    assert (answer.status, answer.cut) == (202, True)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip"])
def test_an_encoding_that_was_not_asked_for_is_left_alone(
    server: LocalServer, encoding: str
) -> None:
    url = server.answer("/a", b"abc", headers={"Content-Encoding": encoding})
    answer = post(url)
    assert (answer.status, answer.body, answer.cut) == (200, b"", True)


def test_a_compressed_body_is_decoded(server: LocalServer) -> None:
    url = server.answer("/a", gzip.compress(b"thanks"), headers={"Content-Encoding": "gzip"})
    assert post(url).body == b"thanks"


def test_a_body_in_drips_is_cut_at_the_deadline(server: LocalServer) -> None:
    url = server.answer("/a", chunks=server.drip)
    before = time.monotonic()
    answer = post(url, seconds=0.4)
    assert 0.35 < time.monotonic() - before < 2.0
    assert (answer.status, answer.cut) == (200, True)
    assert answer.body.startswith(b"x")


def test_headers_in_drips_do_not_undo_the_status(server: LocalServer) -> None:
    def drip(wire: BufferedIOBase) -> None:
        wire.write(b"HTTP/1.1 202 OK\r\nX-Long: ")
        wire.writelines(server.drip())

    answer = post(server.answer_raw("/a", drip), seconds=0.4)
    assert (answer.status, answer.body, answer.cut) == (202, b"", True)


def test_a_server_that_says_nothing(server: LocalServer) -> None:
    url = server.answer_raw("/a", lambda _wire: server.closing.wait(30))
    with pytest.raises(TimedOut, match=r"^timed out after 0\.3 s sending to http://127"):
        post(url, seconds=0.3)


@pytest.mark.parametrize("data", [b"", b"hello\r\n\r\n", b"HTTP/1.1 abc OK\r\n\r\n"])
def test_what_is_no_http_is_transient(server: LocalServer, data: bytes) -> None:
    with pytest.raises(TransientError) as caught:
        post(server.answer_raw("/a", lambda wire: wire.write(data)))
    assert isinstance(caught.value, BrokenAnswer | Unreachable)


@pytest.mark.parametrize("host", ["127.0.0.2", "10.0.0.1", "169.254.169.254", "[::1]"])
def test_a_private_address_gets_nothing(server: LocalServer, host: str) -> None:
    with pytest.raises(AddressRefused, match="not a public address"):
        post(f"http://{host}:{server.port}/a")
    assert server.received == []


def test_a_name_is_checked_where_it_leads(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 80))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(AddressRefused, match=r"inside\.example is at 10\.0\.0\.7"):
        post("http://inside.example/")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "hooks", "http://", "http://x:0/"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(InvalidAddress):
        post(url)


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable, match="Connection refused"):
            post(f"http://127.0.0.1:{unused.getsockname()[1]}/?token=abcdef")
