"""Time and memory that a fetch takes, whatever the other side does."""

import gzip
import socket
import time
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from typing import Any

import pytest

from entries.net import (
    BrokenAnswer,
    TimedOut,
    TooLarge,
    fetch,
)
from tests.support.fetching import MEGABYTE, compressed_zeros, get, peak_memory, post
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("this_machine_is_allowed")

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class TestTime:
    def test_no_time_at_all(self, server: LocalServer) -> None:
        with pytest.raises(TimedOut, match=r"^timed out after 0 s"):
            get(server.answer("/a"), seconds=0)

    def test_a_server_that_says_nothing(self, server: LocalServer) -> None:
        def say_nothing(_wire: BufferedIOBase) -> None:
            server.closing.wait(30)

        url = server.answer_raw("/a", say_nothing)
        with pytest.raises(TimedOut, match=r"^timed out after 0\.3 s fetching http://127"):
            get(url, seconds=0.3)

    def test_a_body_in_drips(self, server: LocalServer) -> None:
        self._gives_up_in_time(server.answer("/a", chunks=server.drip))

    def test_headers_in_drips(self, server: LocalServer) -> None:
        def drip(wire: BufferedIOBase) -> None:
            wire.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            wire.writelines(server.drip())

        self._gives_up_in_time(server.answer_raw("/a", drip))

    def test_interim_answers_without_end(self, server: LocalServer) -> None:
        def drip(wire: BufferedIOBase) -> None:
            wire.writelines(server.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n"))

        self._gives_up_in_time(server.answer_raw("/a", drip))

    def test_redirects_share_one_deadline(self, server: LocalServer) -> None:
        server.answer("/a", status=302, headers={"Location": "/b"})
        server.answer("/b", chunks=server.drip)
        self._gives_up_in_time(server.url("/a"))

    def test_a_name_server_that_does_not_answer(
        self, server: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def never(*_: Any, **__: Any) -> list[Any]:
            server.closing.wait(30)
            return []

        monkeypatch.setattr(socket, "getaddrinfo", never)
        self._gives_up_in_time("http://slow.example/")

    def _gives_up_in_time(self, url: str) -> None:
        before = time.monotonic()
        with pytest.raises(TimedOut):
            get(url, seconds=0.4)
        assert 0.35 < time.monotonic() - before < 2.0


class TestSize:
    def test_the_limit_itself_is_allowed(self, server: LocalServer) -> None:
        assert len(get(server.answer("/a", b"x" * 1000), max_bytes=1000).body) == 1000

    def test_an_announced_size_over_the_limit_is_not_read(self, server: LocalServer) -> None:
        with pytest.raises(TooLarge, match="1,001 bytes, more than 1,000 from http://127"):
            get(server.answer("/a", b"x" * 1001), max_bytes=1000)

    def test_two_hundred_megabytes_do_not_enter_memory(self, server: LocalServer) -> None:
        sent = 0

        def body() -> Iterator[bytes]:
            nonlocal sent
            for _ in range(200):
                yield b"x" * MEGABYTE
                sent += 1

        url = server.answer("/a", chunks=body)
        with peak_memory(below=8 * MEGABYTE), pytest.raises(TooLarge, match="more than 1,000,000"):
            get(url)
        assert sent < 100

    @pytest.mark.parametrize("encoding", ["gzip", "deflate"])
    def test_a_compression_bomb_is_given_up_at_the_limit(
        self, server: LocalServer, encoding: str
    ) -> None:
        bomb = compressed_zeros(300 * MEGABYTE, wbits=31 if encoding == "gzip" else 15)
        assert len(bomb) < MEGABYTE
        url = server.answer("/a", bomb, headers={"Content-Encoding": encoding})
        with peak_memory(below=6 * MEGABYTE), pytest.raises(TooLarge):
            get(url)

    @pytest.mark.parametrize(
        "extras", [b"1;" + b"x" * 1000 + b"\r\na\r\n", b"0" * 1000 + b"1\r\na\r\n"]
    )
    def test_extensions_of_chunks_without_end(self, server: LocalServer, extras: bytes) -> None:
        self._is_given_up(server, extras)

    def test_an_extension_without_end(self, server: LocalServer) -> None:
        self._is_given_up(server, b"x" * 1000, start=b"1;")

    def test_trailers_without_end(self, server: LocalServer) -> None:
        self._is_given_up(server, b"X: " + b"x" * 1000 + b"\r\n", start=b"1\r\na\r\n0\r\n")

    def _is_given_up(self, server: LocalServer, extras: bytes, *, start: bytes = b"") -> None:
        sent = 0

        def write(wire: BufferedIOBase) -> None:
            nonlocal sent
            wire.write(CHUNKED + start)
            while not server.closing.is_set():
                sent += wire.write(extras)

        url = server.answer_raw("/a", write)
        with pytest.raises(BrokenAnswer, match="extensions of chunks are too long"):
            get(url)
        answer = post(url)
        assert (answer.status, answer.cut) == (200, True), "it was delivered"

    @pytest.mark.parametrize("step", [1, 7, 100_000])
    def test_many_small_chunks_with_short_trailers_are_read(
        self, server: LocalServer, step: int
    ) -> None:
        body = b"1\r\na\r\n" * 20_000 + b"0\r\nX-Sum: 1\r\n\r\n"
        whole = CHUNKED + body[: 500 * step]
        rest = body[500 * step :]

        def write(wire: BufferedIOBase) -> None:
            wire.writelines(whole[at : at + step] for at in range(0, len(whole), step))
            wire.write(rest)

        assert get(server.answer_raw("/a", write)).body == b"a" * 20_000

    def test_compressed_data_that_never_becomes_anything(self, server: LocalServer) -> None:
        coder = zlib.compressobj(wbits=31)
        start = coder.compress(b"") + coder.flush(zlib.Z_SYNC_FLUSH)
        empty = coder.flush(zlib.Z_FULL_FLUSH) or b"\x00\x00\x00\xff\xff"

        def body() -> Iterator[bytes]:
            yield start
            while not server.closing.is_set():
                yield b"\x00\x00\x00\xff\xff" * 10_000 if empty else b""

        url = server.answer("/a", chunks=body, headers={"Content-Encoding": "gzip"})
        with pytest.raises(TooLarge):
            get(url)

    def test_a_bomb_behind_another_member_or_of_many_is_given_up(self, server: LocalServer) -> None:
        bomb = compressed_zeros(300 * MEGABYTE, wbits=31)
        empty = gzip.compress(b"")
        for body in (gzip.compress(b"x") + bomb, empty * (2 * MEGABYTE // len(empty))):
            url = server.answer("/a", body, headers={"Content-Encoding": "gzip"})
            before = time.monotonic()
            with peak_memory(below=6 * MEGABYTE + 2 * len(body)), pytest.raises(TooLarge):
                fetch(url, seconds=20, max_bytes=MEGABYTE)
            assert time.monotonic() - before < 5

    @pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd", "dcb"])
    def test_other_and_layered_encodings_are_not_unpacked(
        self, server: LocalServer, encoding: str
    ) -> None:
        url = server.answer("/a", b"abc", headers={"Content-Encoding": encoding})
        with pytest.raises(BrokenAnswer, match="which was not requested from http"):
            get(url)

    def test_headers_without_end(self, server: LocalServer) -> None:
        def flood(wire: BufferedIOBase) -> None:
            wire.write(b"HTTP/1.1 200 OK\r\n")
            while not server.closing.is_set():
                wire.write(b"X-More: " + b"y" * 10_000 + b"\r\n")

        with peak_memory(below=6 * MEGABYTE), pytest.raises(BrokenAnswer):
            get(server.answer_raw("/a", flood))
