import pytest

from entries.models import Entry
from retry import service
from retry.outcomes import Actor
from retry.worker import run_worker
from tests.factories.entries import EntryFactory


@pytest.mark.django_db(transaction=True)
def test_a_failed_entry_runs_again() -> None:
    entry = EntryFactory.create(failed=True, kind="scripted", payload={})
    item, dispatched = service.retry_entry(entry.id, actor=Actor.command("test"))
    assert dispatched
    run_worker("default", burst=True)
    entry.refresh_from_db()
    assert entry.status == "succeeded", entry.error_message
    assert [a.status for a in entry.attempts.order_by("number")] == ["failed", "succeeded"]
