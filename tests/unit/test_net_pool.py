"""Idle connections: how many, whose, and with which certificate."""

import os
import socket
import ssl
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from entries.net import Unreachable, connection, pool
from entries.net.connection import Connection, Place
from entries.net.pool import POOL, Pool
from tests.support.certificates import create_certificate
from tests.support.fetching import get, move_name, post
from tests.support.http import LocalServer
from tests.support.servers import wait_until

pytestmark = pytest.mark.usefixtures("this_machine_is_allowed")


class TestPool:
    def test_no_more_than_so_many_stay_idle(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pool, "MOST_IDLE", 5)
        monkeypatch.setattr(pool, "MOST_IDLE_PER_PLACE", 3)
        own, others = Pool(), []
        for host in ("one", "two", "three"):
            for _ in range(4):
                here, there = socket.socketpair()
                others.append(there)
                own.keep(Connection(place(host), here))
        one, two, three = (take_all(own, host) for host in ("one", "two", "three"))
        assert (len(one), len(two), len(three)) == (0, 2, 3)
        assert sum(is_closed(other) for other in others) == 7
        for idle in (*two, *three):
            idle.close()
        for other in others:
            other.close()

    def test_what_is_idle_too_long_is_closed_without_another_request(
        self, keeper: LocalServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pool, "IDLE_SECONDS", 0.2)
        own, others = Pool(), []
        for _ in range(3):
            here, there = socket.socketpair()
            others.append(there)
            own.keep(Connection(place("one"), here))
        wait_until(lambda: all(is_closed(other) for other in others))
        assert own.take(place("one")) is None
        for other in others:
            other.close()

    def test_a_child_process_has_connections_of_its_own(self, keeper: LocalServer) -> None:
        url = keeper.answer("/a", "hello")
        get(url)
        reader, writer = os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the server has threads
            child = os.fork()
        if child == 0:
            try:
                bodies = {get(url).body for _ in range(3)}
                os.write(writer, b"fine" if bodies == {b"hello"} else b"odd")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reader, 10) == b"fine"
        assert len(keeper.accepted) == 2, "one of the parent, one of the child"
        get(url)
        assert len(keeper.accepted) == 2, "the child did not spoil the parent's"
        os.close(reader)
        os.close(writer)


def place(host: str) -> Place:
    return Place("http", host, 80, "192.0.2.1")


def take_all(own: Pool, host: str) -> list[Connection]:
    return list(iter(partial(own.take, place(host)), None))


def is_closed(other: socket.socket) -> bool:
    """Say whether the socket at the other end is closed."""
    with suppress(BlockingIOError):
        return other.recv(1, socket.MSG_DONTWAIT) == b""
    return False


class TestTLS:
    def test_connections_are_kept_and_each_name_is_verified(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
    ) -> None:
        settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
        certificate, key = create_certificate(tmp_path, name="good.example")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        connection._tls.cache_clear()
        move_name(monkeypatch, to="127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with LocalServer(keeps=True, tls=context) as server:
            server.answer("/a", "hello")
            for _ in range(5):
                assert get(server.url("/a", host="good.example")).body == b"hello"
            assert len(server.accepted) == 1
            with pytest.raises(Unreachable, match=r"not valid for 'bad\.example'"):
                get(server.url("/a", host="bad.example"))
            assert post(server.url("/a", host="good.example")).body == b"hello"
            assert len(server.received) == 6
            POOL.forget()
        connection._tls.cache_clear()
