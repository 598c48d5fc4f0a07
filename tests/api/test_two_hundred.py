"""Two hundred people press the same button at once."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from retry.access import tokens
from retry.models import AuditEvent, Run
from retry.outcomes import Actor
from tests.api.crowds import post_all_at_once
from tests.api.server import web_server
from tests.factories.entries import EntryFactory
from tests.support.processes import manage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

PEOPLE = 200


@pytest.mark.django_db(transaction=True)
def test_one_of_them_wins_and_the_entry_runs_once(operator: "User", tmp_path: Path) -> None:
    token = tokens.create(operator, name="test", actor=Actor.command("test"))
    ledger = tmp_path / "ledger"
    entry = EntryFactory.create(failed=True, kind="scripted", payload={"ledger": str(ledger)})
    with web_server() as web:
        answers = post_all_at_once(
            web, token, "/admin/api/retry", {"entry_id": entry.id}, times=PEOPLE
        )
    assert Counter(answer.status_code for answer in answers) == {202: 1, 409: PEOPLE - 1}
    for answer in answers:
        if answer.status_code == 409:
            said = answer.json()
            assert (said["code"], said["current_status"]) == ("already_queued", "queued")
    entry.refresh_from_db()
    assert (entry.status, entry.attempt) == ("queued", 2)
    assert (Run.objects.count(), AuditEvent.objects.filter(verb="retry").count()) == (1, 1)

    with manage("worker", "default", "--burst") as worker:
        assert worker.wait(60) == 0, worker.output
    entry.refresh_from_db()
    assert entry.status == "succeeded", entry.error_message
    assert len(ledger.read_text().splitlines()) == 1
    assert [a.status for a in entry.attempts.order_by("number")] == ["failed", "succeeded"]
