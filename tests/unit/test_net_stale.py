"""A connection that is used again: where it leads, and what becomes of one that was closed."""

import threading
import time
from io import BufferedIOBase
from typing import Any

import pytest

from entries.net import AddressRefused, BrokenAnswer, TimedOut, Unreachable
from entries.net.pool import POOL
from entries.net.resolver import RESOLVER
from tests.support.fetching import Ask, get, move_name
from tests.support.http import LocalServer
from tests.support.servers import wait_until

pytestmark = pytest.mark.usefixtures("this_machine_is_allowed")


class TestAddresses:
    """What was checked for a connection is checked again for each request on it."""

    def test_a_name_that_has_moved_inside_is_refused_in_spite_of_a_connection(
        self, keeper: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        where = move_name(monkeypatch, to="127.0.0.1")
        url = keeper.answer("/a", "hello").replace("127.0.0.1", "moving.example")
        get(url)
        where.append("10.0.0.1")
        RESOLVER.forget()
        with pytest.raises(AddressRefused, match=r"moving\.example is at 10\.0\.0\.1"):
            get(url)
        assert len(keeper.received) == 1

    def test_a_name_that_has_moved_is_followed(
        self, keeper: LocalServer, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
        where = move_name(monkeypatch, to="127.0.0.1")
        url = keeper.answer("/a", "hello").replace("127.0.0.1", "moving.example")
        get(url)
        where.append("127.0.0.2")
        RESOLVER.forget()
        with pytest.raises(Unreachable, match="Connection refused"):
            get(url)
        assert len(keeper.received) == 1

    def test_a_kept_answer_of_the_resolver_is_checked_each_time(
        self, keeper: LocalServer, settings: Any, ask: Ask
    ) -> None:
        url = keeper.answer("/a", "hello")
        ask(url)
        settings.REDRIVE_ALLOWED_NETWORKS = []
        with pytest.raises(AddressRefused):
            ask(url)
        assert len(keeper.received) == 1


class TestStaleConnections:
    """The server closes a connection while the next request is on its way to it."""

    def test_the_request_is_repeated_once_on_a_new_one(self, keeper: LocalServer, ask: Ask) -> None:
        url = answer_or_hang_up(keeper, hang_up_on={2})
        assert [ask(url).body for _ in range(3)] == [b"ok"] * 3
        assert len(keeper.received) == 4
        assert len(keeper.accepted) == 2
        assert len({(each.method, each.body) for each in keeper.received}) == 1

    def test_and_not_twice(self, keeper: LocalServer, ask: Ask) -> None:
        url = answer_or_hang_up(keeper, hang_up_on={2, 3})
        ask(url)
        with pytest.raises(BrokenAnswer, match="hung up without an answer"):
            ask(url)
        assert len(keeper.received) == 3

    def test_a_new_connection_that_ends_is_not_repeated(
        self, keeper: LocalServer, ask: Ask
    ) -> None:
        url = answer_or_hang_up(keeper, hang_up_on={1})
        with pytest.raises(BrokenAnswer, match="hung up without an answer"):
            ask(url)
        assert len(keeper.received) == 1

    def test_nor_one_on_which_an_answer_has_begun(self, keeper: LocalServer, ask: Ask) -> None:
        url = answer_or_hang_up(keeper, hang_up_on={2}, after=b"HTTP/1.1 2")
        ask(url)
        with pytest.raises(BrokenAnswer):
            ask(url)
        assert len(keeper.received) == 2

    def test_nor_one_that_took_too_long(self, keeper: LocalServer) -> None:
        url = keeper.answer("/a", "hello")
        get(url)
        keeper.answer_raw("/a", lambda _wire: keeper.closing.wait(5))
        before = time.monotonic()
        with pytest.raises(TimedOut):
            get(url, seconds=0.3)
        assert time.monotonic() - before < 2
        assert len(keeper.received) == 2

    def test_a_connection_that_is_closed_is_not_even_tried(
        self, server: LocalServer, ask: Ask
    ) -> None:
        url = server.answer("/a", "hello")
        for number in range(5):
            ask(url)
            wait_until(lambda: not any(idle.is_silent() for idle in POOL._by_age))
            assert len(server.received) == len(server.accepted) == number + 1

    def test_nor_one_on_which_something_unrequested_came(self, keeper: LocalServer) -> None:
        go_on = threading.Event()

        def write(wire: BufferedIOBase) -> None:
            wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            go_on.wait(5)
            wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

        url = keeper.answer_raw("/a", write)
        assert get(url).body == b"ok"
        go_on.set()
        wait_until(lambda: not any(idle.is_silent() for idle in POOL._by_age))
        assert get(keeper.answer("/b", "good")).body == b"good"
        assert len(keeper.accepted) == 2


def answer_or_hang_up(server: LocalServer, *, hang_up_on: set[int], after: bytes = b"") -> str:
    """Answer requests with "ok", except those whose numbers, from 1, are given."""
    number = 0

    def write(wire: BufferedIOBase) -> None:
        nonlocal number
        number += 1
        if number in hang_up_on:
            wire.write(after)
            raise ConnectionAbortedError
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    return server.answer_raw("/a", write)
