"""The server of demo and measurements: what it makes of bytes, however they come."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http import HTTPStatus

import pytest

from tests.support.serving import served
from tools.http_server import Answer, Handler, Request, listen


def serving(handler: Handler) -> AbstractContextManager[int]:
    """On a free port, which it yields."""
    return served(handler, listen(0))


def echo(request: Request) -> Answer:
    return Answer(body=f"{request.method} {request.path} ".encode() + request.body)


@pytest.fixture
def port() -> Iterator[int]:
    with serving(echo) as number:
        yield number


def exchange(port: int, *pieces: bytes) -> bytes:
    """Send pieces one by one; return all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in pieces:
            client.sendall(piece)
        found = b""
        while received := client.recv(65536):
            found += received
    return found


LAST = b"GET /last HTTP/1.1\r\nConnection: close\r\n\r\n"


def test_a_connection_serves_many_requests(port: int) -> None:
    answer = exchange(port, b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n", LAST)
    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert b"\r\n\r\nGET /a " in answer
    assert answer.endswith(b"Connection: close\r\n\r\nGET /last ")


def test_requests_that_come_together_are_answered_in_order(port: int) -> None:
    answer = exchange(port, b"GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n" + LAST)
    assert answer.index(b"GET /1 ") < answer.index(b"GET /2 ") < answer.index(b"GET /last ")


def test_a_body_may_come_in_pieces_and_is_no_request(port: int) -> None:
    head = b"POST /hooks HTTP/1.1\r\nContent-Length: 12\r\n\r\n"
    answer = exchange(port, head[:20], head[20:], b"GET / ", b"HTTP/1", LAST)
    assert b"POST /hooks GET / HTTP/1HTTP/1.1 200 OK" in answer


def test_head_and_not_modified_have_no_body(port: int) -> None:
    answer = exchange(port, b"HEAD /a HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"Content-Length: 8\r\nConnection: close\r\n\r\n")
    with serving(lambda _: Answer(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": '"1"'})) as own:
        assert exchange(own, LAST) == (
            b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nConnection: close\r\n\r\n'
        )


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000,
    ],
)
def test_what_it_does_not_understand_ends_the_connection(port: int, request_: bytes) -> None:
    assert exchange(port, request_).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_an_answer_that_waits_holds_up_its_own_connection_alone() -> None:
    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.path)
        slow = request.path == "/slow"
        return Answer(body=request.path.encode(), after=30.0 if slow else 0.0)

    with serving(answer) as port:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as waiting:
            waiting.sendall(b"GET /slow HTTP/1.1\r\n\r\nGET /behind HTTP/1.1\r\n\r\n")
            assert exchange(port, LAST).endswith(b"/last")
        assert exchange(port, LAST).endswith(b"/last")
        assert "/behind" not in asked


def test_an_answer_comes_after_its_time() -> None:
    handler: Callable[[Request], Answer] = lambda _: Answer(body=b"late", after=0.02)  # noqa: E731
    with serving(handler) as port:
        answer = exchange(port, b"GET / HTTP/1.1\r\n\r\n" + LAST)
    assert answer.count(b"late") == 2
