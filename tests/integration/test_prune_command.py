"""``manage.py prune``: what it says, what it deletes, and its exit codes."""

import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from entries.models import Entry
from retry.models import AuditEvent
from retry.retention.rules import RULES
from retry.retention.steps import Statement
from tests.support.retention import add_at_rest

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("uploads")]


@pytest.fixture(autouse=True)
def _old() -> None:
    add_at_rest([timezone.now() - timedelta(days=100)] * 3, status="succeeded")


def prune(*words: str) -> str:
    out = io.StringIO()
    call_command("prune", *words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_a_dry_run_counts_and_deletes_nothing() -> None:
    answer = json.loads(prune("--dry-run", "--json", "--only", "succeeded", "--only", "failed"))
    assert answer == {"dry_run": True, "rows": {"succeeded": 3, "failed": 0}, "failed": []}
    assert "succeeded: 3 would be deleted (kept for 90 days)" in prune("--dry-run")
    assert Entry.objects.count() == 3
    assert not AuditEvent.objects.exists()


def test_it_deletes_and_says_how_many() -> None:
    said = prune()
    assert "succeeded: 3 deleted (kept for 90 days)" in said
    assert "failed: 0 deleted (kept forever)" in said
    assert "sessions: 0 deleted (until they expire)" in said
    assert not Entry.objects.exists()
    recorded = AuditEvent.objects.filter(verb="prune", channel="command")
    assert {event.after["rule"] for event in recorded if event.after} >= {"succeeded"}


def test_what_fails_is_named_and_the_rest_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        RULES,
        "tracebacks",
        replace(RULES["tracebacks"], step=Statement("SELECT 1 / 0")),
    )
    with pytest.raises(CommandError, match="tracebacks") as caught:
        prune("--only", "tracebacks", "--only", "succeeded")
    assert caught.value.returncode == 1
    assert not Entry.objects.exists()
    with pytest.raises(CommandError) as caught:
        prune("--only", "nothing")
    assert caught.value.returncode == 1 or "invalid choice" in str(caught.value)
