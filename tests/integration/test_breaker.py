"""The breaker trips by itself when nearly everything of a kind fails by a passing fault."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from entries.kinds import registry
from entries.kinds.base import Breaker
from entries.models import Entry
from retry.dispatcher.breaker import trip, watch
from retry.holds import control as holds
from retry.models import Action, AuditEvent, Hold, OutcomeTally, Run
from retry.operations import control
from retry.service import retry_entries
from retry.worker import execution
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.holds import outcomes, settle
from tests.support.operations import FAILED
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]


def test_it_trips_when_nearly_all_fails_by_a_passing_fault() -> None:
    outcomes(1, "succeed")
    outcomes(19, "transient")
    assert trip() == 1
    hold = Hold.objects.get()
    assert (hold.kind, hold.automatic, hold.actor_label) == ("scripted", True, "breaker")
    assert hold.reason == "19 of the last 20 outcomes failed with a transient error, most: HTTP 503"
    assert hold.next_probe_at is not None
    assert timedelta(0) < hold.next_probe_at - timezone.now() <= timedelta(seconds=5)
    event = AuditEvent.objects.get(verb="hold")
    assert (event.actor_label, event.channel, event.reason) == ("breaker", "system", hold.reason)
    assert trip() == 0, "it is on hold already"


@pytest.mark.parametrize(
    ("good", "bad", "how"),
    [(0, 19, "transient"), (68, 32, "transient"), (0, 40, "permanent"), (0, 40, "fail")],
)
def test_it_does_not_trip_for_less(good: int, bad: int, how: str) -> None:
    outcomes(bad, how)
    outcomes(good, "succeed")
    assert watch() == 0
    assert not Hold.objects.exists()


def test_what_was_long_ago_or_of_another_kind_does_not_count() -> None:
    outcomes(25, "transient")
    OutcomeTally.objects.update(at=Now() - timedelta(minutes=11))
    outcomes(15, "transient", kind="grouped")
    assert watch() == 0


def test_a_run_at_work_counts_with_what_it_has_come_to_so_far(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    payload = {"kind": "patient", "failed": True}
    ids = [EntryFactory.create(**payload, payload={"do": "transient"}).pk for _ in range(20)]
    ids.append(EntryFactory.create(**payload, payload={"wait_for": str(gate)}).pk)
    retry_entries(ids, actor=SCRIPT)
    run = Run.objects.get()

    def trip_in_the_middle() -> None:
        try:
            wait_until(lambda: trip() == 1)
        finally:
            gate.touch()
            connection.close()

    thread = threading.Thread(target=trip_in_the_middle)
    thread.start()
    execution.execute(run.pk, worker="test")
    thread.join()
    assert Hold.objects.get().kind == "patient"


def test_discarding_is_no_outcome() -> None:
    for _ in range(25):
        EntryFactory.create(failed=True, kind="scripted", payload={})
    control.start(FAILED, action=Action.DISCARD, actor=SCRIPT)
    settle()
    assert not Entry.objects.exclude(status="discarded").exists()
    assert not OutcomeTally.objects.exists()
    assert trip() == 0


def test_a_kind_may_have_none_and_the_desk_may(settings: "Settings") -> None:
    outcomes(25, "transient")
    settings.REDRIVE_BREAKER = False
    assert watch() == 0
    settings.REDRIVE_BREAKER = True
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(registry.get("scripted")), "breaker", None)
        assert watch() == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(registry.get("scripted")), "breaker", Breaker(window=1000))
        assert watch() == 0
    assert watch() == 1


def test_outcomes_before_the_last_lift_are_forgiven() -> None:
    outcomes(20, "transient")
    assert trip() == 1
    holds.lift(Hold.objects.get().pk, actor=SCRIPT)
    assert trip() == 0
    outcomes(19, "transient")
    assert trip() == 0
    outcomes(1, "transient")
    assert trip() == 1


def test_it_looks_with_one_query(django_assert_num_queries: object) -> None:
    outcomes(30, "succeed")
    with django_assert_num_queries(3):  # type: ignore[operator]
        watch()  # the breaker's holds, all holds, the outcomes of every kind
