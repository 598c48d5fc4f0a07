"""Two hundred pipelines push the same entry at once, to a real web server."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from entries.models import Attempt, Entry
from retry.access import tokens
from retry.models import AuditEvent, Run
from retry.outcomes import Actor
from tests.api.crowds import post_all_at_once
from tests.api.server import web_server
from tests.conftest import grant
from tests.support.processes import manage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PUSHERS = 200


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
        answers = post_all_at_once(web, token, "/admin/api/entries", body, times=PUSHERS)
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
