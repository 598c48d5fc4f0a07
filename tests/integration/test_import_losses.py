"""Imports whose worker died, lost its database or broke: what is repeated and what is not."""

import threading
from unittest.mock import patch

import pytest
from django.db import OperationalError, connection

from entries.models import Entry
from retry import queue
from retry.dispatcher.loop import Dispatcher
from retry.imports import control
from retry.imports.work import perform
from retry.intakes.claims import claim
from retry.intakes.lock import try_lock
from retry.models import AuditEvent, Import, Run
from tests.support.asking import SCRIPT
from tests.support.imports import after, confirmed, fresh, numbered
from tests.support.servers import wait_until
from tests.support.syncing import work_off

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_patience", "uploads"),
]


class Killed(BaseException):
    """What no code catches."""


def killed(row: Import, *, batches: int = 2) -> None:
    """A worker that dies after its last commit."""
    stop = after(batches)

    def die() -> bool:
        if stop():
            raise Killed
        return False

    with pytest.raises(Killed):
        perform(row.pk, stop=die)
    queue.get_client().flushdb()  # the job died as well
    assert fresh(row).state == "running", "nobody could say otherwise"


def test_one_whose_worker_died_is_done_by_another() -> None:
    row = confirmed(numbered(2_500))
    killed(row)
    assert (row.position, row.created) == (2_000, 2_000)
    assert Dispatcher().tick().syncs_lost == 1
    assert (fresh(row).state, row.losses, row.position) == ("queued", 1, 2_000)
    dispatcher = Dispatcher()
    wait_until(lambda: dispatcher.tick().handed_over_again >= 1)
    work_off()
    assert (fresh(row).state, row.created, row.unchanged) == ("succeeded", 2_500, 0)
    assert Entry.objects.count() == 2_500
    assert AuditEvent.objects.filter(verb="import_lost").count() == 1


def test_a_claim_sees_how_far_another_worker_came() -> None:
    stale = confirmed(numbered(2_500))
    perform(stale.pk, stop=after(1))
    assert stale.position == 0
    with claim(stale) as claimed:
        assert claimed
        assert (stale.state, stale.position) == ("running", 1_000)


def test_one_that_somebody_is_at_is_left_alone() -> None:
    row = confirmed(numbered(10))
    Import.objects.filter(pk=row.pk).update(state="running")
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with try_lock(row):
            locked.set()
            done.wait(20)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert locked.wait(20)
        assert control.repeat_lost_imports(actor=SCRIPT) == 0
        assert fresh(row).state == "running"
    finally:
        done.set()
        thread.join()


def test_one_that_kills_its_workers_is_given_up_and_can_be_gone_on_with() -> None:
    row = confirmed(numbered(2_500))
    killed(row, batches=1)
    for _ in range(control.MOST_LOSSES):
        assert control.repeat_lost_imports(actor=SCRIPT) == 1
        Import.objects.filter(pk=row.pk).update(state="running")
    control.repeat_lost_imports(actor=SCRIPT)
    assert (fresh(row).state, row.error_code) == ("failed", "worker_lost")
    assert row.confirms_id is not None
    again = control.confirm_import(row.confirms_id, actor=SCRIPT)
    assert (again.pk, again.state, again.position) == (row.pk, "queued", 1_000)
    assert queue.observe(["sync"]).waiting == {again.job_id}
    work_off()
    assert (fresh(row).state, row.created, row.unchanged) == ("succeeded", 2_500, 0)


def test_a_worker_that_was_taken_for_dead_stores_nothing_more() -> None:
    row = confirmed(numbered(3_500))

    def overtaken() -> bool:
        # Somebody else goes on meanwhile, by a batch.
        Import.objects.filter(pk=row.pk, position=2_000).update(position=3_000)
        return False

    perform(row.pk, stop=overtaken)
    assert (fresh(row).state, row.position) == ("running", 3_000)
    assert Entry.objects.count() == 2_000, "the third batch was taken back"
    assert sum(run.size for run in Run.objects.all()) == 2_000


def test_a_database_that_goes_away_leaves_it_to_be_repeated() -> None:
    row = confirmed(numbered(10))
    broken = OperationalError("the connection is lost")
    with (
        patch("retry.imports.steps.submit_patches", side_effect=broken),
        pytest.raises(OperationalError),
    ):
        perform(row.pk, stop=after(9))
    assert fresh(row).state == "running"
    assert control.repeat_lost_imports(actor=SCRIPT) == 1
    work_off()


def test_a_mistake_of_ours_is_said_and_not_repeated() -> None:
    row = confirmed(numbered(10))
    with (
        patch("retry.imports.steps.submit_patches", side_effect=ZeroDivisionError("oops")),
        pytest.raises(ZeroDivisionError),
    ):
        perform(row.pk, stop=after(9))
    assert (fresh(row).state, row.error_code) == ("failed", "internal_error")
