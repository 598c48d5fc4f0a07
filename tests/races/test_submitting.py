"""Pushers at the same entries, in both orders of winner, and many at once."""

import random
import threading
from typing import Any

import pytest
from django.db import connection

from entries import transitions
from entries.models import Attempt, Entry
from entries.sources.base import SourceItem
from entries.states import EntryStatus
from retry.models import AuditEvent, Run
from retry.reasons import Reason
from retry.service import retry_entries, submit
from retry.submission import Effect, SubmitOutcome
from tests.factories.entries import EntryFactory
from tests.races.test_transitions import in_order
from tests.support.asking import SCRIPT

pytestmark = pytest.mark.django_db(transaction=True)


def push(*external_ids: str, **payload: Any) -> SubmitOutcome:
    items = [SourceItem(external_id, "", payload) for external_id in external_ids]
    return submit(items, kind="scripted", actor=SCRIPT)


def effects(outcome: SubmitOutcome) -> list[tuple[str, Effect, Reason | None]]:
    return [(item.external_id, item.effect, item.reason) for item in outcome.items]


def test_of_two_who_push_the_same_new_entry_one_creates_it() -> None:
    """The second one's statement has looked for it before the first one commits."""
    first, second = in_order(lambda: push("a", "b"), lambda: push("b", "c", "a"))
    assert {effect for _, effect, _ in effects(first)} == {Effect.CREATED}
    assert effects(second) == [
        ("b", Effect.UNCHANGED, Reason.ALREADY_QUEUED),
        ("c", Effect.CREATED, None),
        ("a", Effect.UNCHANGED, Reason.ALREADY_QUEUED),
    ]
    assert Entry.objects.count() == Attempt.objects.count() == 3


def test_new_content_that_comes_second_is_stored() -> None:
    push("a", n=1)
    _, second = in_order(lambda: push("a", n=2), lambda: push("a", n=3))
    assert effects(second) == [("a", Effect.UPDATED, Reason.ALREADY_QUEUED)]
    assert Entry.objects.get().payload == {"n": 3}
    assert Attempt.objects.count() == 1


def test_a_retry_before_the_push_has_queued_it() -> None:
    entry = EntryFactory.create(failed=True, kind="scripted", external_id="a")
    _, pushed = in_order(
        lambda: retry_entries([entry.pk], actor=SCRIPT), lambda: push("a", fresh=True)
    )
    assert effects(pushed) == [("a", Effect.UPDATED, Reason.ALREADY_QUEUED)]
    entry.refresh_from_db()
    assert (entry.attempt, entry.payload) == (2, {"fresh": True})


def test_a_retry_after_the_push_finds_it_queued() -> None:
    entry = EntryFactory.create(failed=True, kind="scripted", external_id="a")
    pushed, retried = in_order(
        lambda: push("a", fresh=True), lambda: retry_entries([entry.pk], actor=SCRIPT)
    )
    assert pushed.queued == 1
    assert retried.items[0].reason is Reason.ALREADY_QUEUED


def test_a_claim_before_the_push_keeps_its_content() -> None:
    push("a", n=1)
    entry = Entry.objects.get()
    assert entry.run_id is not None
    run_id = entry.run_id
    claimed, pushed = in_order(
        lambda: transitions.claim([entry.pk], run_id=run_id, worker="w"),
        lambda: push("a", n=2),
    )
    assert claimed[0].payload == {"n": 1}
    assert effects(pushed) == [("a", Effect.LEFT_ALONE, Reason.ALREADY_RUNNING)]
    assert Entry.objects.get().payload == {"n": 1}


def test_a_claim_after_the_push_takes_the_new_content() -> None:
    push("a", n=1)
    entry = Entry.objects.get()
    assert entry.run_id is not None
    run_id = entry.run_id
    _, claimed = in_order(
        lambda: push("a", n=2),
        lambda: transitions.claim([entry.pk], run_id=run_id, worker="w"),
    )
    assert claimed[0].payload == {"n": 2}


def test_many_pushers_and_retriers_never_deadlock() -> None:
    """Every one in an order of its own: new ones, known ones, and ids against external ids."""
    names = [f"entry {n}" for n in range(40)]
    # Ids run against the order of the names.
    known = [
        EntryFactory.create(failed=True, kind="scripted", external_id=name, payload={}).pk
        for name in reversed(names[:20])
    ]
    barrier = threading.Barrier(6)
    errors: list[BaseException] = []
    created: list[str] = []

    def work(number: int) -> None:
        shuffled = random.Random(number).sample(names, len(names))
        ids = random.Random(number).sample(known, len(known))
        try:
            for turn in range(8):
                barrier.wait(20)
                if number == 0:
                    retry_entries(ids, actor=SCRIPT)
                    continue
                outcome = push(*shuffled, *(f"turn {turn}, {n}" for n in range(10)), by=number)
                created.extend(i.external_id for i in outcome.items if i.effect is Effect.CREATED)
        except BaseException as error:  # noqa: BLE001 - raised again in the test's thread
            errors.append(error)
            barrier.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len(created) == len(set(created)) == 20 + 8 * 10
    assert Entry.objects.count() == 40 + 8 * 10
    assert set(Entry.objects.values_list("status", flat=True)) == {EntryStatus.QUEUED}
    assert Attempt.objects.filter(status="queued").count() == 120, "each was queued once"
    queued = [entry_id for run in Run.objects.all() for entry_id in run.entry_ids]
    assert len(queued) == len(set(queued)) == 120
    assert AuditEvent.objects.exists()
