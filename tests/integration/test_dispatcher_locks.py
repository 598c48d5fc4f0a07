"""The control loop while somebody holds a row: that costs what needs the row, and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from entries.models import Entry
from retry import service
from retry.dispatcher.loop import Dispatcher
from retry.holds import control as holds
from retry.models import Run
from retry.operations.selection import Selection
from tests.factories.entries import EntryFactory
from tests.support import operations
from tests.support.asking import SCRIPT, queued_entries
from tests.support.retention import add_at_rest

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def locked_by_somebody(entry_id: int) -> Iterator[None]:
    other = connection.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT FROM entries_entry WHERE id = %s FOR UPDATE", [entry_id])
        yield
    finally:
        other.close()


def test_an_operation_whose_entry_somebody_holds_keeps_no_other_waiting() -> None:
    first, second = operations.failed(3), operations.failed(3)
    stuck = operations.start(Selection(ids=tuple(first)))
    free = operations.start(Selection(ids=tuple(second)))
    with locked_by_somebody(first[0]):
        tick = Dispatcher().tick()
    assert (tick.broken, tick.started) == (1, 3)
    assert Run.objects.get(operation=stuck).state == "planned"
    assert Run.objects.get(operation=free).state == "queued"
    assert Dispatcher().tick().started == 3


def test_a_hold_whose_entry_somebody_holds_keeps_no_other_from_being_probed() -> None:
    first = queued_entries(2, kind="scripted")
    second = queued_entries(2, kind="grouped")
    for kind in ("scripted", "grouped"):
        holds.trip(kind, actor=SCRIPT, reason="", probe_after=0)
    with locked_by_somebody(first[0]):
        tick = Dispatcher().tick()
    assert tick.broken == 1
    assert set(Run.objects.filter(probe=True).values_list("kind", flat=True)) == {"grouped"}
    assert Entry.objects.filter(pk__in=[*first, *second], status="queued").count() == 4


def test_what_is_due_does_not_wait_for_one_that_somebody_holds() -> None:
    ids = [entry.pk for entry in EntryFactory.create_batch(3, scheduled=True)]
    with locked_by_somebody(ids[1]):
        tick = Dispatcher().tick()
    assert (tick.broken, tick.woken) == (0, 2)
    assert Dispatcher().tick().woken == 1


def test_retention_leaves_what_somebody_holds_for_later() -> None:
    old = [timezone.now() - timedelta(days=100)] * 2
    first, second = add_at_rest(old, status="succeeded")
    with locked_by_somebody(first.pk):
        assert service.prune("succeeded", actor=SCRIPT) == 1
    assert [*Entry.objects.all()] == [first], second
    assert service.prune("succeeded", actor=SCRIPT) == 1
