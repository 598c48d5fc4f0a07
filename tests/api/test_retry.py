"""``POST retry``."""

from typing import TYPE_CHECKING

import pytest
from django.conf import settings

from entries.models import Entry
from entries.states import EntryStatus
from retry import queue
from retry.models import AuditEvent, Run
from tests.api.calls import Caller, ok, problem
from tests.factories.entries import EntryFactory
from tests.support.processes import redis_at

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Status of an entry that is not failed -> the code of its 409.
CODES = {
    EntryStatus.PENDING: "not_failed",
    EntryStatus.QUEUED: "already_queued",
    EntryStatus.RUNNING: "already_running",
    EntryStatus.SCHEDULED: "already_scheduled",
    EntryStatus.SUCCEEDED: "not_failed",
    EntryStatus.DISCARDED: "not_failed",
}


@pytest.mark.django_db(transaction=True)
def test_a_failed_entry_is_queued(api: Caller, operator: "User") -> None:
    entry = EntryFactory.create(failed=True)
    body = ok(api.post("retry", {"entry_id": entry.id, "reason": "the page is back"}), 202)
    run = Run.objects.get()
    assert body == {
        "entry_id": entry.id,
        "attempt": 2,
        "run_id": str(run.id),
        "job_id": run.job_id,
        "status": "queued",
        "dispatched": True,
        "progress_url": f"runs/{run.id}",
    }
    assert run.actor == operator
    assert run.reason == "the page is back"
    assert queue.observe(tuple(settings.REDRIVE_QUEUES)).waiting == {run.job_id}
    entry.refresh_from_db()
    assert (entry.status, entry.attempt, entry.run_id) == ("queued", 2, run.id)
    assert entry.attempts.count() == 2


@pytest.mark.django_db(transaction=True)
def test_the_audit_knows_who_asked_and_by_which_request(api: Caller, operator: "User") -> None:
    entry = EntryFactory.create(failed=True)
    api.post("retry", {"entry_id": entry.id, "reason": "why not"})
    event = AuditEvent.objects.get()
    assert (event.verb, event.channel, event.actor, event.actor_label) == (
        "retry",
        "api",
        operator,
        "operator",
    )
    assert (event.entry_id, event.reason, event.count) == (entry.id, "why not", 1)
    assert len(event.request_id) == 36


@pytest.mark.django_db
class TestRefusals:
    @pytest.mark.parametrize("status", list(CODES))
    def test_what_has_not_failed_is_a_conflict_that_says_the_current_status(
        self, api: Caller, status: EntryStatus
    ) -> None:
        trait = {} if status is EntryStatus.PENDING else {status.value: True}
        entry = EntryFactory.create(**trait)
        body = problem(api.post("retry", {"entry_id": entry.id}), 409, CODES[status])
        assert body["current_status"] == status
        assert body["entry_id"] == entry.id
        assert status.value in body["detail"]
        unchanged(entry)

    def test_every_status_is_covered(self) -> None:
        assert set(CODES) == set(EntryStatus) - {EntryStatus.FAILED}

    def test_an_entry_that_is_not_there(self, api: Caller) -> None:
        body = problem(api.post("retry", {"entry_id": 2**63 - 1}), 404, "entry_not_found")
        assert str(2**63 - 1) in body["detail"]
        assert not AuditEvent.objects.exists()

    def test_staff_who_may_only_look(self, reader: "User") -> None:
        entry = EntryFactory.create(failed=True)
        answer = Caller(reader).post("retry", {"entry_id": entry.id})
        body = problem(answer, 403, "permission_denied")
        assert "entries.retry_entry" in body["detail"]
        unchanged(entry)

    def test_who_may_not_retry_does_not_learn_what_there_is(self, powerless: "User") -> None:
        caller = Caller(powerless)
        there, gone = EntryFactory.create(failed=True).id, 2**40
        first, second = (caller.post("retry", {"entry_id": id_}) for id_ in (there, gone))
        assert first.content == second.content

    def test_anonymous(self, anonymous: Caller) -> None:
        entry = EntryFactory.create(failed=True)
        answer = anonymous.post("retry", {"entry_id": entry.id})
        problem(answer, 401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        unchanged(entry)

    def test_query_parameters_are_refused_and_not_overlooked(self, api: Caller) -> None:
        entry = EntryFactory.create(failed=True)
        answer = api.post("retry?dry_run=1", {"entry_id": entry.id})
        assert problem(answer, 422, "invalid_request")["errors"][0]["field"] == "dry_run"
        unchanged(entry)


@pytest.mark.django_db(transaction=True)
def test_without_redis_the_entry_is_queued_and_the_answer_says_so(api: Caller) -> None:
    entry = EntryFactory.create(failed=True)
    with redis_at("unix:///nowhere/redis.sock"):
        body = ok(api.post("retry", {"entry_id": entry.id}), 202)
    assert body["dispatched"] is False
    assert body["status"] == "queued"
    run = Run.objects.get(id=body["run_id"])
    assert (run.state, run.dispatches) == ("queued", 0)


def unchanged(entry: Entry) -> None:
    before = (entry.status, entry.attempt, entry.run_id)
    entry.refresh_from_db()
    assert (entry.status, entry.attempt, entry.run_id) == before
    assert not Run.objects.exists()
    assert not AuditEvent.objects.exclude(verb="refused").exists()
    assert not queue.observe(tuple(settings.REDRIVE_QUEUES)).waiting
