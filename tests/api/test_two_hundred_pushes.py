"""Two hundred pipelines push the same entry at once, to a real web server."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from entries.models import Attempt, Entry
from retry.access import tokens
from retry.models import AuditEvent, Run
from retry.outcomes import Actor
from tests.api.server import WebServer, web_server
from tests.conftest import grant
from tests.support.processes import manage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PUSHERS = 200


async def all_at_once(web: WebServer, token: str, body: dict[str, Any]) -> list[httpx.Response]:
    limits = httpx.Limits(max_connections=PUSHERS)
    transport = httpx.AsyncHTTPTransport(uds=str(web.path), limits=limits)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", timeout=120, headers=headers
    ) as client:
        posts = [client.post("/admin/api/entries", json=body) for _ in range(PUSHERS)]
        return await asyncio.gather(*posts)


@pytest.mark.django_db(transaction=True)
def test_one_of_them_creates_it_and_it_runs_once(operator: "User", tmp_path: Path) -> None:
    pusher = grant(operator, "entries.submit_entry")
    token = tokens.create(pusher, name="test", actor=Actor.command("test"))
    ledger = tmp_path / "ledger"
    body = {
        "kind": "scripted",
        "entries": [{"external_id": "order-1", "payload": {"ledger": str(ledger)}}],
    }
    with web_server() as web:
        answers = asyncio.run(all_at_once(web, token, body))
        large = "x" * 11_000_000
        refused = web.client.post(
            "/admin/api/entries", headers={"Authorization": f"Bearer {token}"}, json={"a": large}
        )
    assert (refused.status_code, refused.json()["code"]) == (413, "body_too_large")
    assert {answer.status_code for answer in answers} == {202}
    results = [answer.json()["results"][0] for answer in answers]
    assert Counter(result["outcome"] for result in results) == {
        "created": 1,
        "unchanged": PUSHERS - 1,
    }
    assert Counter(result["reason"] for result in results) == {
        None: 1,
        "already_queued": PUSHERS - 1,
    }
    assert len({result["entry_id"] for result in results}) == 1
    assert (Entry.objects.count(), Run.objects.count(), Attempt.objects.count()) == (1, 1, 1)
    assert AuditEvent.objects.filter(verb="submit").count() == 1

    with manage("worker", "bulk", "--burst") as worker:
        assert worker.wait(60) == 0, worker.output
    entry = Entry.objects.get()
    assert entry.status == "succeeded", entry.error_message
    assert len(ledger.read_text().splitlines()) == 1
