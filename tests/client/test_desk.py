"""The client in front of a real desk, with a dispatcher and workers."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx2
import pytest

from redrive_client import Client, Problem, has_ended
from retry.access import tokens
from retry.outcomes import Actor
from tests.api.server import web_server
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.processes import dispatching, listening_worker

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def desk_of(user: "User") -> Iterator[Client]:
    token = tokens.create(user, name="test", actor=Actor.command("test"))
    with (
        web_server() as web,
        Client(
            "http://localhost/admin/api",
            token,
            transport=httpx2.HTTPTransport(uds=str(web.path)),
        ) as client,
    ):
        yield client


def test_it_submits_follows_retries_and_waits(operator: "User") -> None:
    user = grant(operator, "entries.submit_entry", "retry.view_operation", "retry.view_run")
    failed = [
        EntryFactory.create(kind="grouped", failed=True, payload={"do": "succeed"}).pk
        for _ in range(60)
    ]
    seen: list[int] = []
    with (
        desk_of(user) as desk,
        dispatching(),
        listening_worker("bulk"),
        listening_worker("default"),
    ):
        pushed = desk.submit(
            [{"external_id": f"order-{n}", "payload": {"do": "succeed"}} for n in range(10)],
            kind="grouped",
        )
        runs = [desk.wait(run, seconds=30) for run in pushed["runs"]]
        assert sum(run["succeeded"] for run in runs) == pushed["queued"] == 10
        started = desk.retry_many(
            {"status": "failed", "kind": "grouped"}, reason="it is back", rate_per_second=60
        )
        ended = desk.wait(
            started, seconds=60, on_progress=lambda progress: seen.append(progress["succeeded"])
        )
        assert has_ended(ended)
        assert (ended["state"], ended["succeeded"]) == ("completed", 60)
        assert seen == sorted(seen)
        assert seen[-1] == 60
        items = list(desk.items(started["operation_id"], outcome="succeeded"))
        assert sorted(item["entry_id"] for item in items) == sorted(failed)
        assert len(list(desk.entries(status="succeeded", kind="grouped", limit=20))) == 70
        with pytest.raises(Problem) as caught:
            desk.retry(failed[0])
    assert (caught.value.status, caught.value.code) == (409, "not_failed")
    assert caught.value.answer["current_status"] == "succeeded"


def test_it_holds_previews_and_lifts(operator: "User") -> None:
    user = grant(operator, "retry.view_hold", "retry.manage_hold", "retry.view_operation")
    EntryFactory.create(kind="scripted", failed=True)
    with desk_of(user) as desk:
        hold = desk.hold(kind="scripted", reason="deploying")
        assert desk.preview({"status": "failed"})["eligible"] == 1
        started = desk.retry_many({"status": "failed"})
        assert desk.pause(started["operation_id"])["state"] == "paused"
        paused = desk.wait(started)
        assert not has_ended(paused)
        assert desk.cancel(started["operation_id"])["state"] == "cancelled"
        assert [found["id"] for found in desk.holds(standing=True)] == [hold["id"]]
        assert desk.lift(hold["id"], reason="done")["lifted_by"]
        assert list(desk.holds(standing=True)) == []
