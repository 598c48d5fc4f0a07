"""Operations and resyncs that meet an upstream on hold: it costs them what depends on it alone."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from entries.models import Entry
from retry.holds import control as holds
from retry.models import Hold, Run
from retry.operations.progress import read_progress
from retry.runs.detachment import clear_moved_upstreams
from retry.service import resync_entries, retry_entries
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.holds import settle, statuses
from tests.support.operations import start
from tests.support.shops import Shop
from tests.support.upstreams import by_upstream, lift, put, routed

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]


def test_what_an_operation_left_on_hold_keeps_no_room_from_its_neighbours() -> None:
    """The failure limit bounds what can fail before it is judged; what waits cannot."""
    ids = routed(*["dead", "dead", "good"] * 75)
    hold = put()
    operation = start(max_failure_rate=0.5)
    settle()
    assert by_upstream(ids, "succeeded") == {"good"}
    found = read_progress(operation.pk)
    assert (found.succeeded, found.planned, found.queued) == (75, 0, 150)
    lift(hold)
    Hold.objects.update(lifted_at=Now() - timedelta(minutes=1))
    settle()
    assert statuses(ids) == {"succeeded"}


def test_a_canary_does_not_wait_for_what_is_on_hold_in_it() -> None:
    ids = routed(*["dead", "good"] * 20)
    hold = put()
    operation = start(canary_size=10)
    settle()
    found = read_progress(operation.pk)
    assert (found.operation.canary_state, found.succeeded) == ("passed", 20)
    assert by_upstream(ids, "queued") == {"dead"}
    assert not Run.objects.filter(canary=True, state="queued").exists()
    lift(hold)
    settle()
    assert statuses(ids) == {"succeeded"}


def test_others_go_in_place_of_what_is_on_hold_in_a_canary() -> None:
    routed(*["dead", "good"] * 5, *["good"] * 30)
    Entry.objects.filter(upstream="good").update(payload={"to": "good", "do": "fail"})
    put()
    operation = start(canary_size=10)
    settle()
    found = read_progress(operation.pk)
    assert found.operation.pause_reason == "Canary: 10 of 10 failed, limit 10%"
    assert (found.failed, found.queued, found.planned) == (10, 5, 25)


def test_a_canary_that_is_on_hold_whole_waits_where_there_is_nothing_else() -> None:
    ids = routed(*["dead"] * 6)
    hold = holds.hold_kind("routed", actor=SCRIPT)
    operation = start(canary_size=3)
    settle()
    found = read_progress(operation.pk)
    assert (found.operation.canary_state, found.planned) == ("under_way", 6)
    lift(hold)
    settle()
    assert statuses(ids) == {"succeeded"}


def test_a_canary_goes_to_another_kind_where_its_own_is_on_hold() -> None:
    first = routed(*["good"] * 6)
    others = [EntryFactory.create(kind="grouped", failed=True).pk for _ in range(6)]
    hold = holds.hold_kind("routed", actor=SCRIPT)
    operation = start(canary_size=3)
    settle()
    assert statuses(others) == {"succeeded"}
    assert read_progress(operation.pk).planned == 6
    lift(hold)
    settle()
    assert statuses(first) == {"succeeded"}


def test_what_a_resync_moves_to_an_upstream_on_hold_waits_for_it(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shelf.json")
    ledger = {"ledger": str(tmp_path / "ledger")}
    shop.has(a={"to": "dead", **ledger}, b={"to": "good", **ledger})
    ids = [
        EntryFactory.create(
            kind="routed", source=shop.source, external_id=name, failed=True, payload={"to": "good"}
        ).pk
        for name in "ab"
    ]
    hold = put()
    resync_entries(ids, actor=SCRIPT, only_if_changed=True)
    settle()
    assert by_upstream(ids, "succeeded") == {"good"}
    assert by_upstream(ids, "queued") == {"dead"}
    assert len((tmp_path / "ledger").read_text().splitlines()) == 1
    lift(hold)
    settle()
    assert statuses(ids) == {"succeeded"}


def test_what_was_moved_to_another_upstream_does_not_wait_for_its_old_one() -> None:
    ids = routed("dead", "dead", "good")
    hold = put()
    retry_entries(ids, actor=SCRIPT)
    settle()
    assert by_upstream(ids, "queued") == {"dead"}
    Entry.objects.filter(pk=ids[0]).update(payload={"to": "elsewhere"}, upstream="elsewhere")
    assert clear_moved_upstreams() == (1, None)
    settle()
    assert by_upstream(ids, "succeeded") == {"good", "elsewhere"}
    assert by_upstream(ids, "queued") == {"dead"}, "the other one still waits"
    lift(hold)
    settle()
    assert statuses(ids) == {"succeeded"}
