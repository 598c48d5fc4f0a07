"""What the client sends again, and what it does not."""

import asyncio
import json
from collections.abc import Iterator
from io import BufferedIOBase

import pytest

from redrive_client import AsyncClient, Client, NoAnswer, NotDone, Problem
from tests.support.http import LocalServer

STATUS = json.dumps({"state": "fine"})
BUSY = {"Retry-After": "0"}


@pytest.fixture
def server() -> Iterator[LocalServer]:
    with LocalServer() as found:
        yield found


def desk(server: LocalServer, *, patience: float = 20.0) -> Client:
    return Client(server.url("/api/"), "redrive_x", patience=patience, timeout=5)


def hang_up(_: BufferedIOBase) -> None:
    """Say nothing."""


def then(server: LocalServer, path: str, *, first: int, times: int, answer: str = STATUS) -> None:
    """Answer ``path`` with the status ``first`` so many times, and then with 200."""
    left = [times]

    def write(stream: BufferedIOBase) -> None:
        status = first if left[0] else 200
        left[0] = max(0, left[0] - 1)
        body = answer.encode() if status == 200 else b'{"code": "too_busy"}'
        stream.write(
            b"HTTP/1.1 %d X\r\nRetry-After: 0\r\nContent-Length: %d\r\n\r\n%s"
            % (status, len(body), body)
        )

    server.answer_raw(path, write)


@pytest.mark.parametrize("status", [429, 503])
def test_what_is_refused_for_now_is_asked_again(server: LocalServer, status: int) -> None:
    then(server, "/api/status", first=status, times=3)
    with desk(server) as client:
        assert client.status() == {"state": "fine"}
    assert len(server.received) == 4
    assert server.received[0].headers["authorization"] == "Bearer redrive_x"


def test_patience_ends(server: LocalServer) -> None:
    server.answer("/api/status", '{"code": "too_busy"}', status=503, headers={"Retry-After": "30"})
    with desk(server, patience=10.0) as client, pytest.raises(Problem) as caught:
        client.status()
    assert (caught.value.code, len(server.received)) == ("too_busy", 1)


def test_a_start_is_sent_again_with_the_same_key(server: LocalServer) -> None:
    answered = json.dumps({"operation_id": "x", "state": "planned"})
    then(server, "/api/retry/bulk", first=503, times=2, answer=answered)
    with desk(server) as client:
        client.retry_many([1, 2], reason="it is back")
    keys = {request.headers["idempotency-key"] for request in server.received}
    assert (len(server.received), len(keys)) == (3, 1)
    assert json.loads(server.received[0].body) == {"entry_ids": [1, 2], "reason": "it is back"}


def test_without_an_answer_only_what_is_safe_is_sent_again(server: LocalServer) -> None:
    server.answer_raw("/api/retry", hang_up)
    server.answer_raw("/api/status", hang_up)
    with desk(server, patience=0.3) as client:
        with pytest.raises(NoAnswer):
            client.retry(7)
        assert len(server.received) == 1, "it may have been done"
        with pytest.raises(NoAnswer):
            client.status()
    assert len(server.received) > 2


def test_a_proxy_that_gave_up_is_no_reason_to_do_it_twice(server: LocalServer) -> None:
    server.answer("/api/retry", "<html>", status=504)
    with desk(server) as client, pytest.raises(Problem) as caught:
        client.retry(7)
    assert (caught.value.status, caught.value.code, len(server.received)) == (504, "http_504", 1)


def test_a_problem_says_what_is_wrong(server: LocalServer) -> None:
    refused = {
        "code": "invalid_request",
        "title": "The request is not valid.",
        "errors": [{"field": "rate_per_second", "message": "must be greater than 0"}],
    }
    server.answer(
        "/api/retry/bulk", json.dumps(refused), status=422, headers={"X-Request-ID": "r-1"}
    )
    with desk(server) as client, pytest.raises(Problem) as caught:
        client.retry_many({"status": "failed"}, rate_per_second=-1)
    assert (caught.value.code, caught.value.request_id) == ("invalid_request", "r-1")
    assert "rate_per_second: must be greater than 0" in str(caught.value)


def test_waiting_ends_in_time(server: LocalServer) -> None:
    server.answer("/api/runs/x?wait=0", '{"state": "running"}', headers={"ETag": '"1"'})
    server.answer("/api/runs/x", b"", status=304, headers=BUSY)
    with desk(server) as client, pytest.raises(NotDone) as caught:
        client.wait("runs/x", seconds=0.2)
    assert caught.value.progress == {"state": "running"}
    assert server.received[1].headers["if-none-match"] == '"1"'


def test_who_is_answered_at_once_asks_again_after_a_second(server: LocalServer) -> None:
    """Also where the answer says that it may be at once."""
    server.answer("/api/runs/x?wait=0", '{"state": "queued"}', headers={"ETag": '"1"'})
    server.answer("/api/runs/x", b"", status=304, headers=BUSY)
    with desk(server) as client, pytest.raises(NotDone):
        client.wait("runs/x", seconds=1.5)
    assert len(server.received) == 3


def test_the_client_for_event_loops_does_the_same(server: LocalServer) -> None:
    then(server, "/api/status", first=503, times=1)
    server.answer("/api/entries", '{"results": [{"id": 2}], "next_cursor": "c"}')
    server.answer("/api/entries?status=failed&cursor=c", '{"results": [], "next_cursor": null}')

    async def ask() -> list[int]:
        async with AsyncClient(server.url("/api"), "t") as client:
            assert await client.status() == {"state": "fine"}
            return [entry["id"] async for entry in client.entries(status="failed")]

    assert asyncio.run(ask()) == [2]
