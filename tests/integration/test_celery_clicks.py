"""A task is sent at most once for each click."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from entries import transitions
from entries.kinds.celery_task import CeleryTaskKind
from entries.kinds.sent_tasks import note_end, note_sent
from entries.models import SentTask
from entries.states import EntryStatus, SentState
from entries.transitions import Outcome
from tests.support.celery_desk import begin, plant_one, running
from tests.support.foreign_celery import ForeignCelery

pytest.importorskip("celery", reason="Celery is not installed: the extra dev has it")

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_all_who_try_for_one_click_one_may_send(celery_shop: ForeignCelery) -> None:
    entry, attempt = running(plant_one(celery_shop))
    first, may = begin(entry, attempt, cycle=10)
    assert may
    assert [begin(entry, attempt, cycle=cycle)[1] for cycle in (9, 10, 11)] == [False] * 3
    note_sent(entry, task_id=first)
    assert [begin(entry, attempt, cycle=cycle)[1] for cycle in (9, 10, 11)] == [False] * 3
    for state in (SentState.ENDED, SentState.DOUBTFUL):
        note_end(entry, attempt, task_id=first, state=state)
        assert [begin(entry, attempt, cycle=cycle)[1] for cycle in (9, 10)] == [False] * 2
    assert begin(entry, attempt, cycle=11)[1]
    # Of the task before that, nothing is noted any more.
    note_sent(entry, task_id=first)
    note_end(entry, attempt, task_id=first, state=SentState.ENDED)
    assert SentTask.objects.get().state == SentState.INTENDED


def test_who_has_lost_the_entry_may_not_send(celery_shop: ForeignCelery) -> None:
    entry, attempt = running(plant_one(celery_shop))
    assert not begin(entry, replace(attempt, run_id=str(uuid4())))[1]
    later = replace(attempt, number=attempt.number + 1)
    assert not begin(entry, later, cycle=10)[1]
    transitions.finish([Outcome(entry.id, EntryStatus.SUCCEEDED)], run_id=UUID(attempt.run_id))
    assert not begin(entry, attempt)[1]
    assert not SentTask.objects.exists()


def test_a_row_of_the_task_says_that_it_was_sent(celery_shop: ForeignCelery) -> None:
    """Also where our database has forgotten it, because a backup was restored."""
    entry, attempt = running(plant_one(celery_shop))
    id_, _ = begin(entry, attempt)
    SentTask.objects.all().delete()
    celery_shop.plant(id_, status="SUCCESS")
    found = CeleryTaskKind().process(entry, attempt)
    assert (found["task_id"], found["sent"]) == (id_, False)
    assert celery_shop.waiting == 0
