"""An attempt is written when it ends; until then its entry says who has it and since when."""

from typing import TYPE_CHECKING

import pytest

from entries import transitions
from entries.models import Attempt, Entry
from entries.states import AttemptStatus, EntryStatus
from entries.text import describe_error
from entries.transitions import Outcome, Reversal
from retry.dispatcher.pacing import step
from retry.models import Action, Run
from retry.operations import control
from retry.operations.items import list_items
from retry.operations.selection import Selection
from retry.runs.lifecycle import claim_run
from tests.admin.browsing import Browser
from tests.api.calls import Caller, ok
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


def claimed(ids: list[int]) -> Run:
    run_id = Entry.objects.values_list("run_id", flat=True).get(pk=ids[0])
    assert run_id is not None
    run = claim_run(run_id, worker="w")
    assert run is not None
    assert len(transitions.claim(run.entry_ids, run_id=run.pk, worker="w")) == len(run.entry_ids)
    return run


def current_attempt(entry: Entry) -> Attempt:
    entry.refresh_from_db()
    return entry.attempts.get(number=entry.attempt)


def test_who_has_it_and_since_when_is_shown(chief: "User") -> None:
    api, at_desk = Caller(chief), Browser(chief)
    (id_,) = queued_entries()
    run = claimed([id_])
    entry = Entry.objects.get()
    current, earlier = ok(api.get(f"entries/{id_}"))["attempts"]
    assert (current["status"], current["worker"], current["ended_at"]) == ("running", "w", None)
    assert current["started_at"] is not None
    assert (earlier["status"], earlier["worker"]) == ("failed", "")
    page = at_desk.read(f"/admin/entries/entry/{id_}/change/")
    assert "badge-running" in page
    assert "<bdi>w</bdi>" in page
    assert "badge-running" in at_desk.read(f"/admin/retry/run/{run.pk}/change/")
    transitions.finish([Outcome(id_, EntryStatus.SUCCEEDED, result={})], run_id=run.pk)
    attempt = current_attempt(entry)
    assert (attempt.status, attempt.worker) == ("succeeded", "w")
    assert Entry.objects.get().worker == ""


def test_the_items_of_an_operation_say_running() -> None:
    ids = tuple(EntryFactory.create(failed=True, kind="scripted").pk for _ in range(2))
    operation = control.start(Selection(ids=ids), action=Action.RETRY, actor=SCRIPT)
    step(operation.pk)
    assert {item.outcome for item in list_items(operation).items} == {"queued"}
    claimed(list(ids))
    assert [item.entry_id for item in list_items(operation, outcome="running").items] == [*ids]


def test_a_repeated_claim_keeps_the_time_of_the_first() -> None:
    (id_,) = queued_entries()
    run = claimed([id_])
    since = Entry.objects.get().status_changed_at
    transitions.claim([id_], run_id=run.pk, worker="w")
    assert Entry.objects.get().status_changed_at == since


ERROR = describe_error(RuntimeError("no"))


@pytest.mark.parametrize("how", ["finish", "revert", "rescue", "give up"])
def test_however_it_ends_its_attempt_says_who_had_it_and_since_when(how: str) -> None:
    (id_,) = queued_entries()
    run = claimed([id_])
    entry = Entry.objects.get()
    number, since = entry.attempt, entry.status_changed_at
    if how == "finish":
        transitions.finish([Outcome(id_, EntryStatus.FAILED, error=ERROR)], run_id=run.pk)
    elif how == "revert":
        transitions.revert([Reversal(id_, AttemptStatus.UNCHANGED)], run_id=run.pk)
    else:
        limits = {"scripted": 1 if how == "rescue" else 0}
        transitions.rescue([id_], run_id=run.pk, rescue_limits=limits, error=ERROR, began=True)
    attempt = entry.attempts.get(number=number)
    assert (attempt.worker, attempt.started_at) == ("w", since)
    assert attempt.ended_at is not None
    assert attempt.ended_at >= since
    assert Entry.objects.get().worker == ""


def test_what_is_given_back_has_no_worker() -> None:
    (id_,) = queued_entries()
    run = claimed([id_])
    transitions.release([id_], run_id=run.pk)
    attempt = current_attempt(Entry.objects.get())
    assert (attempt.status, attempt.worker, attempt.started_at) == ("queued", "", None)
    assert Entry.objects.get().worker == ""
