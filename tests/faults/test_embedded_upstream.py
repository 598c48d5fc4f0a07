"""The demo's upstream, asked by a real client."""

import http.client
import json
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import spawn, wait_until
from tests.support.serving import served
from tools.demo.behaviour import Behaviour, behaviour
from tools.demo.upstream import Upstream
from tools.http_server import listen


class Served(Upstream):
    """An upstream on a free port."""

    def __init__(self, *, state: Path | None, hang_seconds: float) -> None:
        self.listener = listen(0)
        self.port = self.listener.getsockname()[1]
        super().__init__(port=self.port, entries=200, state=state, hang_seconds=hang_seconds)


@contextmanager
def serving(state: Path | None = None, hang_seconds: float = 30.0) -> Iterator[Served]:
    server = Served(state=state, hang_seconds=hang_seconds)
    with served(server.answer, server.listener):
        yield server


@pytest.fixture
def upstream() -> Iterator[Served]:
    with serving() as server:
        yield server


def ask(
    server: Served,
    path: str,
    method: str = "GET",
    timeout: float = 10,
    headers: dict[str, str] | None = None,
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def first(kind: Behaviour) -> str:
    return next(f"/pages/{n}" for n in range(1, 201) if behaviour(n, broken=True) is kind)


@pytest.mark.parametrize(
    ("kind", "broken", "repaired"),
    [(Behaviour.WORKS, 200, 200), (Behaviour.FAILS, 503, 200), (Behaviour.GONE, 404, 404)],
)
def test_pages_do_as_they_were_made(
    upstream: Served, kind: Behaviour, broken: int, repaired: int
) -> None:
    assert ask(upstream, first(kind))[0].status == broken
    assert ask(upstream, "/repair", "POST")[0].status == 200
    assert ask(upstream, first(kind))[0].status == repaired
    ask(upstream, "/break", "POST")
    assert ask(upstream, first(kind))[0].status == broken


def test_a_hanging_page_hangs_until_the_client_leaves(upstream: Served) -> None:
    with pytest.raises(TimeoutError):
        ask(upstream, first(Behaviour.HANGS), timeout=0.2)
    ask(upstream, "/repair", "POST")
    assert ask(upstream, first(Behaviour.HANGS))[0].status == 200


def test_a_patient_client_gets_an_error_in_the_end() -> None:
    with serving(hang_seconds=0.05) as server:
        assert ask(server, first(Behaviour.HANGS))[0].status == 503


def test_the_feed_is_fetched_on_condition(upstream: Served) -> None:
    answer, body = ask(upstream, "/feed.atom")
    tag, date = answer.headers["ETag"], answer.headers["Last-Modified"]
    assert body.startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    for headers, status in (
        ({"If-None-Match": tag}, 304),
        ({"If-None-Match": f'"other", W/{tag}'}, 304),
        ({"If-Modified-Since": date}, 304),
        ({"If-None-Match": '"other"', "If-Modified-Since": date}, 200),
        ({"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
    ):
        assert ask(upstream, "/feed.atom", headers=headers)[0].status == status, headers


def test_its_state_outlives_it(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    with serving(state) as server:
        ask(server, "/repair", "POST")
    with serving(state) as server:
        assert json.loads(ask(server, "/status.json")[1]) == {
            "broken": False,
            "moved": False,
            "entries": 200,
            "pages": {"fails": 0, "hangs": 0, "gone": 10, "works": 190},
        }


def test_missing_pages_move_to_where_the_feed_says(tmp_path: Path) -> None:
    missing = first(Behaviour.GONE)
    new = missing.replace("/pages/", "/moved/")
    with serving(tmp_path / "state.json") as server:
        _, before = ask(server, "/feed.atom")
        assert ask(server, new)[0].status == 404
        assert json.loads(ask(server, "/move", "POST")[1])["moved"] is True
    with serving(tmp_path / "state.json") as server:
        _, after = ask(server, "/feed.atom")
        assert (before.count(b"/moved/"), after.count(b"/moved/")) == (0, 10)
        assert f'{new}"'.encode() in after
        assert ask(server, new)[0].status == 200
        assert ask(server, missing)[0].status == 404, "at its old place it is missing as before"
        assert b"have moved" in ask(server, "/")[1]


@pytest.mark.parametrize(
    ("accepted", "language", "words"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", b"de", b"Reparieren"),
        ("fr, de;q=0.5", b"de", b"Reparieren"),
        ("en, de", b"en", b"Repair it"),
        ("", b"en", b"Repair it"),
        ("../de, x" * 99, b"en", b"Repair it"),
    ],
)
def test_the_front_page_has_the_language_of_the_browser(
    upstream: Served, accepted: str, language: bytes, words: bytes
) -> None:
    _, body = ask(upstream, "/", headers={"Accept-Language": accepted})
    assert b'<html lang="%s">' % language in body
    assert words in body


def test_the_front_page_shows_the_state_and_switches_it(upstream: Served) -> None:
    assert b'action="/repair"' in ask(upstream, "/")[1]
    answer, _ = ask(upstream, "/repair", "POST", headers={"Accept": "text/html"})
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert b'action="/break"' in ask(upstream, "/")[1]
    assert ask(upstream, "/style.css")[0].headers["Content-Type"] == "text/css"


@pytest.mark.parametrize("path", ["/pages/0", "/pages/201", "/pages/x", "/pages/²", "/nothing"])
def test_what_is_not_there_is_not_found(upstream: Served, path: str) -> None:
    assert ask(upstream, path.replace("²", "%C2%B2"))[0].status == 404


def test_a_post_elsewhere_changes_nothing(upstream: Served) -> None:
    assert ask(upstream, "/pages/1", "POST")[0].status == 404
    assert upstream.broken


def test_head_has_no_body(upstream: Served) -> None:
    answer, body = ask(upstream, "/feed.atom", "HEAD")
    assert (body, int(answer.headers["Content-Length"])) == (b"", len(upstream.feed))


def test_it_stops_at_once_with_a_client_hanging_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    arguments = ("--port", str(port), "--entries", "200", "--verbose")
    with spawn(sys.executable, "-m", "tools.demo.upstream", *arguments) as running:
        wait_until(lambda: connects(port), timeout=20)
        with socket.create_connection(("127.0.0.1", port)) as hanging:
            hanging.sendall(f"GET {first(Behaviour.HANGS)} HTTP/1.1\r\n\r\n".encode())
            running.send(signal.SIGTERM)
            assert running.wait(timeout=2) == 0


def connects(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_takes_webhooks_for_one_receiver_and_refuses_those_for_the_other(
    upstream: Served,
) -> None:
    assert ask(upstream, "/hooks/crm", "POST")[0].status == 200
    answer, body = ask(upstream, "/hooks/billing", "POST")
    assert (answer.status, json.loads(body)) == (422, {"error": "there is no such customer"})
    assert ask(upstream, "/hooks/else", "POST")[0].status == 404
