"""Odd lines in the head of an answer cost themselves, and contradictions about its end do not."""

import json
import time
from io import BufferedIOBase
from typing import Any

import pytest

from entries.net import BrokenAnswer, fetch, send
from entries.net.heads import MAX_HEAD, Head
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("this_machine_is_allowed")

ODD = [
    b"cache/page.php: not there",
    b"PHP Warning:  mysqli_connect() in /a.php",
    b"no colon at all",
    b": no name",
    b"X-Bell: \x07",
    b" folded behind the status line",
    b"odd/name: a\r\n and goes on",
    b"X-Fine: a\r\n\x20\x01",
    "X-Größe: 1".encode(),
    b"(comment): x",
]
FRAMING = [
    b"Content-Length: 2\r\nContent-Length: 3",
    b"Content-Length: 2, 3",
    b"Content-Length: two",
    b"Content-Length : 2",
    b"content-length\x00: 2",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding : chunked",
    b"X-Nul: a\x00b",
]


def raw(server: LocalServer, lines: bytes, body: bytes = b"ok") -> str:
    def write(wire: BufferedIOBase) -> None:
        wire.write(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\nX-Last: 1\r\n\r\n" + body)

    return server.answer_raw("/a", write)


def get(url: str) -> Any:
    return fetch(url, seconds=5, max_bytes=1_000)


def post(url: str) -> Any:
    return send(url, body=b"{}", headers={}, seconds=5, max_bytes=1_000)


@pytest.mark.parametrize("line", ODD)
def test_an_odd_line_is_left_out(server: LocalServer, line: bytes) -> None:
    url = raw(server, b"X-First: 1\r\n" + line if line[:1] != b" " else line)
    for answer in (get(url), post(url)):
        assert (answer.status, answer.body, answer.headers["x-last"]) == (200, b"ok", "1")
    assert "odd" not in json.dumps(dict(answer.headers))


@pytest.mark.parametrize("line", FRAMING)
def test_what_says_where_an_answer_ends_is_not_guessed_at(server: LocalServer, line: bytes) -> None:
    url = raw(server, line)
    with pytest.raises(BrokenAnswer, match="no proper HTTP"):
        get(url)
    answer = post(url)
    assert (answer.status, answer.body, answer.cut) == (200, b"", True), "it was delivered"


def test_white_space_before_a_colon_is_taken_away(server: LocalServer) -> None:
    assert get(raw(server, b"X-Spaced \t : 1")).headers["x-spaced"] == "1"


def test_a_folded_line_goes_on_with_the_one_before(server: LocalServer) -> None:
    assert get(raw(server, b"X-Long: a\r\n b")).headers["x-long"] == "a b"


def test_a_head_that_breaks_off_is_its_status_where_the_outcome_is_what_counts(
    server: LocalServer,
) -> None:
    url = server.answer_raw("/a", lambda wire: wire.write(b"HTTP/1.1 204 OK\r\nX-Na"))
    with pytest.raises(BrokenAnswer):
        get(url)
    assert post(url).status == 204
    server.answer_raw("/a", lambda wire: wire.write(b"HTTP/1.1 2"))
    with pytest.raises(BrokenAnswer):
        post(url)


def test_an_announcement_comes_before_the_answer(server: LocalServer) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nodd/one: 1\r\n\r\nHTTP/1.1 200 OK\r\nodd/two: 2\r\n\r\nok"
    assert get(server.answer_raw("/a", lambda wire: wire.write(early))).body == b"ok"


class TestHead:
    def test_in_whatever_pieces_it_comes(self) -> None:
        whole = b"HTTP/1.1 200 OK\r\nodd/one: 1\r\nA: 1\r\n\r\nbody\r\n\r\nodd/two: 2"
        right = b"HTTP/1.1 200 OK\r\nA: 1\r\n\r\nbody\r\n\r\nodd/two: 2"
        for size in range(1, len(whole) + 1):
            head = Head()
            pieces = [head.pass_on(whole[i : i + size]) for i in range(0, len(whole), size)]
            assert b"".join(pieces) + head.pass_on(b"") == right
            assert head.status == 200

    def test_a_slow_one_is_searched_once(self) -> None:
        head = Head()
        head.pass_on(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000)
        before = time.process_time()
        for _ in range(20_000):
            head.pass_on(b"x")
        assert time.process_time() - before < 0.5, "from the start each time, it takes 3 s"
        assert head.pass_on(b"\r\n\r") == b""
        assert head.pass_on(b"\nb").endswith(b"x\r\n\r\nb")

    def test_bare_newlines_end_lines_as_well(self) -> None:
        assert Head().pass_on(b"HTTP/1.0 200 OK\nodd/one: 1\nA: 1\n\nx") == (
            b"HTTP/1.0 200 OK\nA: 1\n\nx"
        )

    def test_one_without_end_is_the_parsers(self) -> None:
        head = Head()
        assert head.pass_on(b"HTTP/1.1 200 OK\r\n") == b""
        assert len(head.pass_on(b"A: 1\r\n" * (MAX_HEAD // 5))) > MAX_HEAD
        assert head.pass_on(b"more") == b"more"

    def test_what_is_no_http_is_the_parsers(self) -> None:
        head = Head()
        assert head.pass_on(b"SSH-2.0\r\n\r\n") == b"SSH-2.0\r\n\r\n"
        assert head.status == 0
