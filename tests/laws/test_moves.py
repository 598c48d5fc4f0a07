"""``TRANSITIONS`` says what the statements in ``entries.transitions`` do: no more and no less."""

from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from entries.models import Attempt, Entry
from entries.states import RESTING, TRANSITIONS, EntryStatus, Transition
from tests.factories.entries import EntryFactory
from tests.laws.moves import DRIVERS, REASSIGN, Driver, make

pytestmark = pytest.mark.django_db
FENCED = [move for move in TRANSITIONS if move.fenced]


def named(move: Transition) -> str:
    return move.verb


def row(entry: Entry) -> dict[str, object]:
    return {
        "entry": Entry.objects.filter(pk=entry.pk).values().get(),
        "attempts": list(Attempt.objects.filter(entry=entry).order_by("number").values()),
    }


def drive(driver: Driver, entry: Entry) -> EntryStatus:
    """The status afterwards."""
    assert entry.run_id is not None
    driver(entry, entry.run_id)
    return EntryStatus(Entry.objects.values_list("status", flat=True).get(pk=entry.pk))


def test_every_verb_can_be_driven() -> None:
    assert DRIVERS.keys() == {move.verb for move in TRANSITIONS}


def test_every_status_can_be_reached_and_left() -> None:
    assert {t for move in TRANSITIONS for t in move.targets} == set(EntryStatus)
    assert {s for move in TRANSITIONS for s in move.sources} == set(EntryStatus)


@pytest.mark.parametrize("status", list(EntryStatus))
@pytest.mark.parametrize("move", TRANSITIONS, ids=named)
def test_from_where_a_verb_moves(move: Transition, status: EntryStatus) -> None:
    for driver in DRIVERS[move.verb]:
        entry = make(status)
        before = row(entry)
        after = drive(driver, entry)
        if status in move.sources:
            assert after in move.targets
        else:
            assert row(entry) == before


@pytest.mark.parametrize("move", TRANSITIONS, ids=named)
def test_where_a_verb_leads(move: Transition) -> None:
    """Every target is reached, so the table holds nothing that does not happen."""
    reached = {
        drive(driver, make(source, previous=previous))
        for source in move.sources
        for previous in RESTING
        for driver in DRIVERS[move.verb]
    }
    if move.verb == "restore":  # the other end of an entry that was never tried
        untried = EntryFactory.create(discarded=True)
        DRIVERS["restore"][0](untried, uuid4())
        untried.refresh_from_db()
        reached.add(EntryStatus(untried.status))
    assert reached == move.targets


@pytest.mark.parametrize("move", FENCED, ids=named)
def test_a_fenced_verb_needs_the_run_id(move: Transition) -> None:
    """A worker whose run was taken away writes zero rows."""
    for source in move.sources:
        for driver in DRIVERS[move.verb]:
            entry, other = make(source), make(source)
            before = row(entry)
            assert other.run_id is not None
            driver(entry, other.run_id)
            assert row(entry) == before


def test_another_run_cannot_reassign() -> None:
    entry, other = make(EntryStatus.QUEUED), make(EntryStatus.QUEUED)
    before = row(entry)
    assert other.run_id is not None
    REASSIGN(entry, other.run_id)
    assert row(entry) == before
    assert drive(REASSIGN, entry) is EntryStatus.QUEUED
    entry.refresh_from_db()
    assert entry.run_id not in {None, before["entry"]["run_id"]}  # type: ignore[index]


def test_what_is_written_by_workers_is_fenced() -> None:
    """Leaving ``queued`` and ``running`` is up to whoever holds the run, without exception."""
    for move in TRANSITIONS:
        at_work = bool(move.sources & {EntryStatus.QUEUED, EntryStatus.RUNNING})
        assert move.fenced == at_work, move.verb


def test_an_attempt_is_counted_once_per_queueing() -> None:
    entry = make(EntryStatus.FAILED)
    drive(DRIVERS["retry"][0], entry)
    with pytest.raises(IntegrityError), transaction.atomic():
        Attempt.objects.create(entry=entry, number=2, run_id=uuid4(), previous_status="failed")
