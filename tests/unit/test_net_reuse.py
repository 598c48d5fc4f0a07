"""Connections are used again where that is safe, and only there."""

from contextlib import suppress
from typing import Any

import pytest

from entries.net import FetchError, TimedOut, pool
from tests.support.fetching import MEGABYTE, Ask, get, post
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("this_machine_is_allowed")


TWO_ENDS = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n"
    b"2\r\nok\r\n0\r\n\r\n"
)


def raw(server: LocalServer, data: bytes) -> str:
    return server.answer_raw("/raw", lambda wire: wire.write(data))


class TestReuse:
    def test_many_requests_take_one_connection(self, keeper: LocalServer, ask: Ask) -> None:
        url = keeper.answer("/a", "hello")
        assert {ask(url).body for _ in range(20)} == {b"hello"}
        assert len(keeper.received) == 20
        assert len(keeper.accepted) == 1

    def test_for_get_and_post_and_all_paths_alike(self, keeper: LocalServer) -> None:
        get(keeper.answer("/a", "hello"))
        post(keeper.answer("/b", "hello"))
        get(keeper.answer("/c?d", "hello"))
        assert len(keeper.accepted) == 1

    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX: 1\r\n\r\n",
            b"HTTP/1.1 204 Nothing\r\n\r\n",
            b"HTTP/1.1 103 Early\r\nA: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2, 2\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nodd/name: 1\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
        ],
    )
    def test_after_any_answer_with_an_end(self, keeper: LocalServer, ask: Ask, data: bytes) -> None:
        url = raw(keeper, data)
        first, second = ask(url), ask(url)
        assert (first.status, first.body) == (second.status, second.body)
        assert len(keeper.accepted) == 1

    @pytest.mark.parametrize("status", [404, 503])
    def test_after_an_error_that_came_whole(self, keeper: LocalServer, status: int) -> None:
        url = raw(keeper, b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\nno" % status)
        for _ in range(3):
            with pytest.raises(FetchError, match=f"HTTP {status}"):
                get(url)
        assert len(keeper.accepted) == 1

    def test_between_redirects(self, keeper: LocalServer) -> None:
        keeper.answer("/b", "here")
        keeper.answer("/a", status=302, headers={"Location": "/b"})
        assert get(keeper.url("/a")).body == b"here"
        assert len(keeper.accepted) == 1


class TestNoReuse:
    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n",
            TWO_ENDS,
        ],
    )
    def test_after_an_answer_that_ends_the_connection_or_says_two_things(
        self, keeper: LocalServer, ask: Ask, data: bytes
    ) -> None:
        url = raw(keeper, data)
        assert [ask(url).body for _ in range(3)] == [b"ok"] * 3
        assert len(keeper.accepted) == 3

    @pytest.mark.parametrize(
        "data",
        [
            b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Encoding: gzip\r\n\r\nabc",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 404 No\r\nContent-Length: 1000000\r\n\r\nno",
            b"HTTP/1.1 302 There\r\nLocation: /b\r\nContent-Length: 1000000\r\n\r\nno",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\nno",
            b"nonsense\r\n\r\n",
        ],
    )
    def test_after_a_broken_or_unread_answer(self, keeper: LocalServer, data: bytes) -> None:
        keeper.answer("/b", "ok")
        with suppress(FetchError):
            get(raw(keeper, data))
        get(keeper.url("/b"))
        assert len(keeper.accepted) >= 2
        assert len(keeper.accepted) == len(keeper.received) - (b"302" in data)

    def test_after_an_answer_of_which_the_rest_was_not_read(self, keeper: LocalServer) -> None:
        url = keeper.answer("/a", b"x" * MEGABYTE)
        assert post(url).cut
        assert post(url).cut
        assert len(keeper.accepted) == 2

    def test_after_a_deadline(self, keeper: LocalServer) -> None:
        url = keeper.answer_raw("/a", lambda _wire: keeper.closing.wait(0.5))
        with pytest.raises(TimedOut):
            get(url, seconds=0.2)
        get(keeper.answer("/b"))
        assert len(keeper.accepted) == 2

    def test_for_another_name_or_port(self, keeper: LocalServer, settings: Any) -> None:
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
        keeper.answer("/a", "hello")
        get(keeper.url("/a"))
        get(keeper.url("/a", host="localhost"))
        with LocalServer(keeps=True) as other:
            get(other.answer("/a", "hello"))
        assert len(keeper.accepted) == 2
        assert len(other.accepted) == 1

    def test_after_it_was_idle_too_long(
        self, keeper: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pool, "IDLE_SECONDS", 0.0)
        url = keeper.answer("/a", "hello")
        get(url)
        get(url)
        assert len(keeper.accepted) == 2
