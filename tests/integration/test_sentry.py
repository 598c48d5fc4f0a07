"""Failures that Sentry gets: played by a server on this machine, sent by Sentry's own package."""

import gzip
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from entries.models import Entry
from retry import sentry
from retry.models import Run
from retry.signals import OUTBOX, entries_failed
from tests.support.asking import queued_entries
from tests.support.http import LocalServer
from tests.support.processes import listening_worker
from tests.support.servers import wait_until
from tests.support.shops import work

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings: "Settings") -> Iterator[LocalServer]:
    with LocalServer() as found:
        found.answer("/api/7/envelope/", "{}")
        settings.REDRIVE_SENTRY_DSN = f"http://public@127.0.0.1:{found.port}/7"
        yield found


@pytest.fixture
def connected(server: LocalServer) -> Iterator[LocalServer]:
    sentry.connect()
    yield server
    entries_failed.disconnect(dispatch_uid="redrive.sentry")
    OUTBOX.reset()
    sentry._get_client.cache_clear()


def read_events(server: LocalServer) -> list[dict[str, Any]]:
    found = []
    for request in server.received:
        assert "sentry_key=public" in request.headers["x-sentry-auth"]
        body = request.body
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        _, *items = body.split(b"\n")
        for head, payload in zip(items[::2], items[1::2], strict=False):
            if json.loads(head)["type"] == "event":
                found.append(json.loads(payload))
    return found


def test_what_fails_alike_is_one_event_with_our_fingerprint(connected: LocalServer) -> None:
    ids = queued_entries(3, kind="grouped", do="permanent", message="page 17 answered HTTP 404")
    run = Run.objects.get()
    work()
    assert OUTBOX.drain(20)
    events = read_events(connected)
    fingerprint = Entry.objects.get(pk=ids[0]).fingerprint
    assert {tuple(event["fingerprint"]) for event in events} == {("redrive", fingerprint)}
    assert sum(event["contexts"]["redrive"]["count"] for event in events) == 3
    assert [id_ for event in events for id_ in event["contexts"]["redrive"]["entries"]] == ids
    event = events[0]
    assert event["tags"] == {"kind": "grouped", "fingerprint": fingerprint}
    assert event["contexts"]["redrive"]["run"] == str(run.pk)
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("PermanentError", "page 17 answered HTTP 404")
    frame = error["stacktrace"]["frames"][-1]
    assert frame["filename"].endswith("tests/support/kinds.py")
    assert frame["in_app"]
    assert frame["lineno"] > 1
    assert "raise" in frame["context_line"]


def test_what_succeeds_is_not_reported(connected: LocalServer) -> None:
    queued_entries(1)
    work()
    assert OUTBOX.drain(20)
    assert connected.received == []


def test_a_work_horse_reports_before_it_ends(
    server: LocalServer, monkeypatch: pytest.MonkeyPatch, settings: "Settings"
) -> None:
    monkeypatch.setenv("REDRIVE_SENTRY_DSN", settings.REDRIVE_SENTRY_DSN)
    (id_,) = queued_entries(1, do="permanent")
    with listening_worker("default"):
        wait_until(lambda: bool(server.received), timeout=30)
    (event,) = read_events(server)
    assert event["contexts"]["redrive"]["entries"] == [id_]


def test_a_sentry_that_is_away_costs_nothing_else(
    connected: LocalServer, settings: "Settings"
) -> None:
    settings.REDRIVE_SENTRY_DSN = "http://public@127.0.0.1:9/7"
    sentry._get_client.cache_clear()
    (id_,) = queued_entries(1, do="permanent")
    work()
    assert Entry.objects.get(pk=id_).status == "failed"
    assert OUTBOX.drain(20)
