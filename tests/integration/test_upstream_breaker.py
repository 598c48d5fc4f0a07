"""The breaker judges each upstream by itself, and probes the one that is held."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from entries.models import Entry
from retry.dispatcher.breaker import trip, watch
from retry.dispatcher.kind_outcomes import prune
from retry.dispatcher.loop import Dispatcher
from retry.holds import control as holds
from retry.models import Hold, OutcomeTally, Run
from retry.runs.backlog import find_startable_runs
from retry.service import retry_entries
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT, queued_entries
from tests.support.holds import due, execute, outcomes, probe, settle, statuses, tripped

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_patience")]


def standing() -> set[tuple[str, str]]:
    return set(Hold.objects.filter(lifted_at=None).values_list("kind", "upstream"))


def mixed(*payloads: Mapping[str, object]) -> list[int]:
    """Ids of entries that have just been put back to work in one run."""
    made = [EntryFactory.create(failed=True, kind="routed", payload=each) for each in payloads]
    ids = [entry.pk for entry in made]
    retry_entries(ids, actor=SCRIPT)
    return ids


def test_the_dead_one_is_held_and_its_neighbours_are_not() -> None:
    outcomes(19, "transient", kind="routed", to="dead")
    outcomes(100, "succeed", kind="routed", to="good")
    assert trip() == 0, "19 say nothing yet, whatever the others do"
    outcomes(1, "transient", kind="routed", to="dead")
    outcomes(19, "transient", kind="routed", to="other")
    assert trip() == 1
    hold = Hold.objects.get()
    assert (hold.kind, hold.upstream, hold.automatic) == ("routed", "dead", True)
    assert hold.reason == "20 of the last 20 outcomes failed with a transient error, most: HTTP 503"
    assert trip() == 0


def test_each_of_many_that_are_down_has_a_hold_of_its_own() -> None:
    for name in ("a", "b", "c"):
        outcomes(20, "transient", kind="routed", to=name)
    outcomes(25, "transient", kind="scripted")
    assert trip() == 4
    assert standing() == {("routed", "a"), ("routed", "b"), ("routed", "c"), ("scripted", "")}


def test_what_nothing_is_known_of_is_never_held_for_a_kind_that_has_upstreams() -> None:
    outcomes(40, "transient", kind="routed")
    assert OutcomeTally.objects.filter(upstream="", transient__gt=0).exists()
    assert trip() == 0


def test_one_run_over_many_tells_them_apart() -> None:
    for _ in range(10):
        mixed(*[{"to": "dead", "do": "transient"}, {"to": "good"}] * 2)
        execute(Run.objects.get(state="queued"))
    assert trip() == 1
    assert standing() == {("routed", "dead")}


def test_outcomes_of_a_run_that_began_before_the_lift_are_forgiven() -> None:
    outcomes(20, "transient", kind="routed", to="dead")
    assert trip() == 1
    holds.lift(Hold.objects.get().pk, actor=SCRIPT)
    assert trip() == 0
    OutcomeTally.objects.update(began_at=Now() + timedelta(seconds=1))
    assert trip() == 1
    holds.lift(Hold.objects.get(lifted_at=None).pk, actor=SCRIPT)
    OutcomeTally.objects.update(began_at=Now() - timedelta(seconds=5))
    assert trip() == 0


def test_a_hold_on_the_whole_kind_is_enough() -> None:
    outcomes(20, "transient", kind="routed", to="dead")
    holds.hold_kind("routed", actor=SCRIPT)
    assert trip() == 0


def test_what_says_nothing_any_more_is_deleted() -> None:
    outcomes(3, "succeed", kind="routed", to="a")
    OutcomeTally.objects.update(at=Now() - timedelta(minutes=11))
    outcomes(3, "succeed", kind="routed", to="b")
    old = OutcomeTally.objects.filter(upstream="a").count()
    assert prune() == old
    assert set(OutcomeTally.objects.values_list("upstream", flat=True)) == {"b"}
    OutcomeTally.objects.update(at=Now() - timedelta(minutes=11))
    Dispatcher().tick()
    assert not OutcomeTally.objects.exists()


def test_the_probe_is_the_oldest_that_depends_on_what_is_held() -> None:
    queued_entries(kind="routed", to="good")
    first = mixed({"to": "good"}, {"to": "dead"}, {"to": "dead"}, {"to": "good"})
    tripped("routed", "dead")
    later = queued_entries(kind="routed", to="dead")
    assert watch() == 1
    assert probe("dead").entry_ids == later, "what waits for nothing else comes first"
    Hold.objects.update(probe_run_id=None, next_probe_at=None)
    Run.objects.filter(probe=True).update(probe=False, state="cancelled")
    assert watch() == 1
    released = probe("dead")
    assert (released.entry_ids, released.upstream, released.queue) == (
        first[1:2],
        "dead",
        "default",
    )
    assert execute(released)
    assert watch() == 1
    assert standing() == set()


def test_the_scheduled_one_that_is_tried_depends_on_what_is_held() -> None:
    soon = timezone.now() + timedelta(minutes=5)
    for to in ("good", "dead"):
        EntryFactory.create(scheduled=True, kind="routed", payload={"to": to}, next_attempt_at=soon)
    tripped("routed", "dead")
    assert watch() == 1
    released = probe("dead")
    assert Entry.objects.get(pk=released.entry_ids[0]).upstream == "dead"
    assert (released.upstream, released.queue) == ("dead", "default")
    assert released in find_startable_runs()
    assert execute(released)
    assert watch() == 1
    assert standing() == set()


def test_two_that_are_held_are_each_probed_by_their_own() -> None:
    tripped("routed", "a")
    tripped("routed", "b")
    down = queued_entries(3, kind="routed", to="a", do="transient")
    back = queued_entries(3, kind="routed", to="b")
    assert watch() == 2
    assert probe("a").entry_ids == down[:1]
    assert probe("b").entry_ids == back[:1]
    execute(probe("a"))
    execute(probe("b"))
    watch()
    assert standing() == {("routed", "a")}
    assert Hold.objects.get(upstream="a").probes == 1
    due()
    settle()
    assert statuses(back) == {"succeeded"}
    assert statuses(down[2:]) == {"queued"}


def test_a_person_who_holds_the_kind_or_the_source_is_not_passed_by_a_probe() -> None:
    tripped("routed", "dead")
    source = SourceFactory.create(slug="news")
    entry = EntryFactory.create(failed=True, kind="routed", source=source, payload={"to": "dead"})
    retry_entries([entry.pk], actor=SCRIPT)
    whole = holds.hold_kind("routed", actor=SCRIPT)
    assert watch() == 0
    holds.lift(whole.pk, actor=SCRIPT)
    of_source = holds.hold_source("news", actor=SCRIPT)
    assert watch() == 0
    holds.lift(of_source.pk, actor=SCRIPT)
    assert watch() == 1


def test_an_upstream_that_nothing_has_waited_for_in_an_hour_is_forgotten() -> None:
    tripped("routed", "dead")
    tripped("scripted")
    assert watch() == 0
    Hold.objects.update(next_probe_at=Now() - timedelta(minutes=61))
    assert watch() == 1
    assert standing() == {("scripted", "")}
    hold = Hold.objects.get(upstream="dead")
    assert (hold.lifted_by, hold.lifted_reason) == ("breaker", "nothing has waited for it")


def test_it_looks_with_few_queries_however_many_are_held(
    django_assert_num_queries: object,
) -> None:
    for number in range(30):
        holds.trip("routed", f"h{number}", actor=SCRIPT, reason="", probe_after=number % 2 * 60)
    outcomes(30, "succeed", kind="routed", to="good")
    queued_entries(5, kind="routed", to="good")
    with django_assert_num_queries(3):  # type: ignore[operator]
        watch()  # half of them are due, and nothing waits for any
