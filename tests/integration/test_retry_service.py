"""``retry_entries``: what it changes, for whom, and what it says about everybody else."""

import json
import re
import zlib
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.db import transaction
from rq.utils import as_text

from entries.models import Attempt, Entry
from entries.states import EntryStatus
from retry import queue
from retry.errors import EntryNotFound, NotPermitted, NotRetryable, TooManyEntries
from retry.models import AuditEvent, Run
from retry.outcomes import Actor, Channel
from retry.reasons import Reason
from retry.runs.job_ids import run_job_id
from retry.service import retry_entries, retry_entry, submit_entries
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


def jobs(name: str = "default") -> list[str]:
    return [as_text(raw) for raw in queue.get_client().lrange(f"rq:queue:redrive-{name}", 0, -1)]


def test_one_failed_entry_is_queued_with_an_attempt_a_run_an_audit_and_a_job(
    operator: "User",
) -> None:
    entry = EntryFactory.create(failed=True)
    actor = Actor.from_user(operator, channel=Channel.ADMIN, request_id="req-1")
    item, dispatched = retry_entry(entry.id, actor=actor, reason="upstream is back")

    assert dispatched
    stored = Entry.objects.get(pk=entry.id)
    assert (stored.status, stored.attempt, stored.run_id) == ("queued", 2, item.run_id)
    assert stored.error_class == entry.error_class, "the last error stays until the next outcome"
    attempt = Attempt.objects.get(entry=entry, number=2)
    assert (attempt.status, attempt.previous_status) == ("queued", "failed")
    assert attempt.run_id == item.run_id
    run = Run.objects.get(pk=item.run_id)
    assert (run.trigger, run.actor, run.reason) == ("retry", operator, "upstream is back")
    assert (run.entry_ids, run.state, run.dispatches) == ([entry.id], "queued", 1)
    event = AuditEvent.objects.get(verb="retry")
    assert (event.actor_id, event.channel, event.request_id) == (operator.pk, "admin", "req-1")
    assert (event.entry_id, event.run_id, event.count) == (entry.id, run.id, 1)
    assert jobs() == [item.job_id]
    assert re.fullmatch(rf"entry-{entry.id}-2-{run.id.hex[:8]}", str(item.job_id))


def test_a_click_is_one_statement(django_assert_num_queries: Any) -> None:
    """Nothing of it can be there without the rest, and no lock waits for this process."""
    entry = EntryFactory.create(failed=True)
    with django_assert_num_queries(1):
        retry_entry(entry.id, actor=SCRIPT)
    event = AuditEvent.objects.get()
    assert (event.before, event.after) == (
        {"status": ["failed"]},
        {"status": "queued", "runs": 1},
    )


def test_jobs_are_named_in_sql_as_in_python() -> None:
    entries = [*EntryFactory.create_batch(2, failed=True, kind="grouped")]
    entries.append(EntryFactory.create(failed=True))
    retry_entries([entry.id for entry in entries], actor=SCRIPT)
    assert {run.size for run in Run.objects.all()} == {1, 2}
    for run in Run.objects.all():
        members = [(id_, Entry.objects.get(pk=id_).attempt) for id_ in run.entry_ids]
        assert run.job_id == run_job_id(run.id, entries=members)


def test_a_job_holds_the_run_id_as_json_and_nothing_else() -> None:
    item, _ = retry_entry(EntryFactory.create(failed=True).id, actor=SCRIPT)
    job = queue.get_client().hgetall(f"rq:job:{item.job_id}")
    data = json.loads(zlib.decompress(cast("dict[bytes, bytes]", job)[b"data"]))
    assert data == ["retry.jobs.execute_run", None, [str(item.run_id)], {}]


@pytest.mark.parametrize(
    ("trait", "reason"),
    [
        ("queued", Reason.ALREADY_QUEUED),
        ("running", Reason.ALREADY_RUNNING),
        ("scheduled", Reason.ALREADY_SCHEDULED),
        ("succeeded", Reason.NOT_FAILED),
        ("discarded", Reason.NOT_FAILED),
    ],
)
def test_what_has_not_failed_is_left_alone_and_says_why(trait: str, reason: Reason) -> None:
    entry = EntryFactory.create(**{trait: True})
    before = Entry.objects.values().get(pk=entry.id)
    outcome = retry_entries([entry.id], actor=SCRIPT)
    assert [(item.reason, item.status) for item in outcome.items] == [(reason, entry.status)]
    assert Entry.objects.values().get(pk=entry.id) == before
    assert not Run.objects.exists()
    assert not AuditEvent.objects.exists()
    with pytest.raises(NotRetryable) as refused:
        retry_entry(entry.id, actor=SCRIPT)
    assert refused.value.status == entry.status


def test_every_id_gets_one_outcome_in_order() -> None:
    failed = EntryFactory.create_batch(2, failed=True)
    running = EntryFactory.create(running=True)
    ids = [failed[1].id, 10**15, running.id, failed[0].id, failed[1].id]
    outcome = retry_entries(ids, actor=SCRIPT)
    assert [(item.entry_id, item.reason) for item in outcome.items] == [
        (failed[0].id, None),
        (failed[1].id, None),
        (running.id, Reason.ALREADY_RUNNING),
        (10**15, Reason.NOT_FOUND),
    ]
    assert outcome.queued == 2
    assert outcome.skipped == {Reason.ALREADY_RUNNING: 1, Reason.NOT_FOUND: 1}


def test_an_unknown_id_alone_is_an_error() -> None:
    with pytest.raises(EntryNotFound):
        retry_entry(404, actor=SCRIPT)


def test_no_ids_are_no_work() -> None:
    outcome = retry_entries([], actor=SCRIPT)
    assert (outcome.items, outcome.dispatched) == ((), True)
    assert not Run.objects.exists()


def test_entries_of_two_kinds_make_two_runs() -> None:
    pages = EntryFactory.create_batch(2, failed=True, kind="page")
    others = EntryFactory.create_batch(2, failed=True, kind="scripted")
    retry_entries([e.id for e in pages + others], actor=SCRIPT)
    found = Run.objects.order_by("kind").values_list("kind", "entry_ids")
    assert list(found) == [
        ("page", [e.id for e in pages]),
        ("scripted", [e.id for e in others]),
    ]


def test_a_selection_larger_than_a_click_is_cut_into_runs_for_the_bulk_queue(
    settings: "Settings",
) -> None:
    settings.REDRIVE_CLICK_SIZE = 10
    entries = EntryFactory.create_batch(25, failed=True, kind="grouped")  # ten to a run
    retry_entries([e.id for e in entries], actor=SCRIPT)
    sizes = [
        len(ids) for ids in Run.objects.order_by("created_at").values_list("entry_ids", flat=True)
    ]
    assert sorted(sizes) == [5, 10, 10]
    assert len(jobs("bulk")) == 3
    assert jobs("default") == []
    in_runs = chain.from_iterable(Run.objects.values_list("entry_ids", flat=True))
    assert sorted(in_runs) == [e.id for e in entries]


def test_too_many_ids_are_refused_before_anything_changes(settings: "Settings") -> None:
    settings.REDRIVE_SELECTION_LIMIT = 2
    ids = [e.id for e in EntryFactory.create_batch(3, failed=True)]
    with pytest.raises(TooManyEntries):
        retry_entries(ids, actor=SCRIPT)
    assert Entry.objects.filter(status=EntryStatus.FAILED).count() == 3


def test_without_the_permission_nothing_happens(reader: "User") -> None:
    entry = EntryFactory.create(failed=True)
    with pytest.raises(NotPermitted, match=r"entries\.retry_entry"):
        retry_entries([entry.id], actor=Actor.from_user(reader, channel=Channel.ADMIN))
    assert Entry.objects.get(pk=entry.id).status == EntryStatus.FAILED


def test_inside_somebody_elses_transaction_the_hand_over_waits_for_it() -> None:
    entry = EntryFactory.create(failed=True)
    with transaction.atomic():
        outcome = retry_entries([entry.id], actor=SCRIPT)
        assert not outcome.dispatched
        assert jobs() == []
    assert jobs() == [outcome.items[0].job_id]


def test_a_new_entry_is_submitted_once() -> None:
    entry = EntryFactory.create()
    first = submit_entries([entry.id], actor=SCRIPT)
    again = submit_entries([entry.id], actor=SCRIPT)
    assert (first.queued, again.queued) == (1, 0)
    assert again.items[0].reason is Reason.ALREADY_QUEUED
    done = EntryFactory.create(succeeded=True)
    assert submit_entries([done.id], actor=SCRIPT).items[0].reason is Reason.NOT_PENDING
