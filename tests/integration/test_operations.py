"""Operations: frozen, started, judged, paused, cancelled, and true to the last entry."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from entries.filters import EntryFilter
from entries.models import Attempt, Entry
from entries.states import EntryStatus
from retry import execution
from retry.dispatcher import Dispatcher
from retry.errors import (
    EmptySelection,
    NotPermitted,
    OperationFinished,
    OperationNotFound,
    TooManyEntries,
)
from retry.interruption import SECONDS
from retry.models import Action, AuditEvent, Operation, Run
from retry.operations import control, pacing
from retry.operations.control import Pace
from retry.operations.items import OUTCOMES, items
from retry.operations.progress import Progress, progress
from retry.operations.selection import Selection, preview
from retry.outcomes import Actor, Doorway, Reason
from retry.service import retry_entries
from retry.worker import run_worker
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.servers import wait_until

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = Selection(filter=EntryFilter(status=EntryStatus.FAILED))


@pytest.fixture(autouse=True)
def nobody_asked_to_stop(settings: "Settings") -> Iterator[None]:
    settings.REDRIVE_TICK_SECONDS = 0.05
    yield
    execution.shutdown.clear()


def failed(count: int, **payload: object) -> list[int]:
    made = EntryFactory.create_batch(count, failed=True, kind="grouped", payload=payload)
    return [entry.id for entry in made]


def start(selection: Selection = FAILED, **options: object) -> Operation:
    pace = Pace(**options)  # type: ignore[arg-type]
    return control.start(selection, action=Action.RETRY, actor=SCRIPT, reason="again", pace=pace)


def work() -> None:
    run_worker("bulk", burst=True)


def to_the_end(operation: Operation) -> Progress:
    dispatcher = Dispatcher()

    def finished() -> bool:
        dispatcher.tick()
        work()
        return progress(operation.pk).finished

    wait_until(finished, timeout=20)
    return progress(operation.pk)


def consistent(found: Progress) -> bool:
    return (
        found.planned + found.queued + found.running + found.settled == found.total
        and found.total == Operation.objects.get(pk=found.operation.pk).total
    )


def test_the_selection_is_frozen_into_planned_runs_and_audited() -> None:
    ids = failed(25)
    EntryFactory.create(succeeded=True)
    operation = start()
    later = failed(1)
    runs = Run.objects.filter(operation=operation).order_by("position")
    assert [run.size for run in runs] == [10, 10, 5]
    assert [id_ for run in runs for id_ in run.entry_ids] == ids
    assert {run.state for run in runs} == {"planned"}
    assert (operation.total, operation.state) == (25, "planned")
    event = AuditEvent.objects.get(verb="start_retry")
    assert (event.operation_id, event.count, event.reason) == (operation.pk, 25, "again")
    to_the_end(operation)
    assert Entry.objects.get(pk=later[0]).status == "failed", "it failed after the freezing"


def test_an_operation_runs_to_outcomes_that_add_up() -> None:
    good = failed(12)
    bad = failed(3, do="fail", message="still broken")
    found = to_the_end(start())
    assert (found.succeeded, found.failed, found.planned, found.queued) == (12, 3, 0, 0)
    assert consistent(found)
    assert found.operation.state == "completed"
    assert set(Entry.objects.filter(pk__in=good).values_list("attempt", flat=True)) == {2}
    listed = items(found.operation, outcome="failed").items
    assert [item.entry_id for item in listed] == bad
    assert {item.error_message for item in listed} == {"still broken"}
    assert {run.trigger for run in Run.objects.all()} == {"bulk_retry"}


def test_nothing_chosen_is_refused_and_everything_must_be_said() -> None:
    failed(1)
    for selection in (Selection(), Selection(filter=EntryFilter())):
        with pytest.raises(EmptySelection):
            start(selection)
    assert not Operation.objects.exists()
    assert start(Selection(filter=EntryFilter(all=True))).total == 1


def test_too_many_ids_and_missing_permission_are_refused(reader: "User") -> None:
    with pytest.raises(TooManyEntries):
        start(Selection(ids=tuple(range(1, 10_002))))
    with pytest.raises(NotPermitted):
        control.start(FAILED, action=Action.RETRY, actor=Actor.of(reader, doorway=Doorway.API))
    assert not Operation.objects.exists()


def test_ids_that_cannot_be_retried_are_listed_with_their_reason() -> None:
    (good,) = failed(1)
    running = EntryFactory.create(running=True, kind="grouped")
    done = EntryFactory.create(succeeded=True, kind="grouped")
    chosen = Selection(ids=(good, running.id, done.id, 10**9))
    before = preview(chosen, action=Action.RETRY, actor=SCRIPT)
    assert (before.total, before.eligible) == (4, 1)
    assert before.skipped == {
        Reason.ALREADY_RUNNING: 1,
        Reason.NOT_FAILED: 1,
        Reason.NOT_FOUND: 1,
    }
    found = to_the_end(start(chosen))
    assert found.skipped == {"already_running": 1, "not_failed": 1, "not_found": 1}
    assert (found.succeeded, found.total) == (1, 4)
    listed = {item.entry_id: (item.outcome, item.reason) for item in items(found.operation).items}
    assert listed == {
        good: ("succeeded", None),
        running.id: ("skipped", "already_running"),
        done.id: ("skipped", "not_failed"),
        10**9: ("skipped", "not_found"),
    }


def test_a_preview_changes_nothing() -> None:
    failed(3)
    before = list(Entry.objects.values())
    found = preview(FAILED, action=Action.RETRY, actor=SCRIPT)
    assert (found.total, found.eligible, found.exact, len(found.sample)) == (3, 3, True, 3)
    assert list(Entry.objects.values()) == before
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("narrow", "matches"),
    [
        ({"kind": "page"}, {"a"}),
        ({"source": "news"}, {"b"}),
        ({"fingerprint": "1-other"}, {"c"}),
        ({"error_class": "Timeout"}, {"c"}),
        ({"q": "50%_OFF"}, {"d"}),
        ({"failed_before": timezone.now() - timedelta(days=1)}, {"e"}),
        ({"status": EntryStatus.SUCCEEDED}, {"f"}),
        ({"q": "odd", "kind": "grouped"}, {"d"}),
    ],
)
def test_a_filter_freezes_just_what_it_says(narrow: dict[str, object], matches: set[str]) -> None:
    base = {"failed": True, "kind": "grouped"}
    EntryFactory.create(**base | {"kind": "page", "external_id": "a"})
    EntryFactory.create(**base, external_id="b", source=SourceFactory.create(slug="news"))
    EntryFactory.create(**base, external_id="c", fingerprint="1-other", error_class="Timeout")
    EntryFactory.create(**base, external_id="d", title="odd 50%_off 'quote'")
    EntryFactory.create(**base, external_id="e", failed_at=timezone.now() - timedelta(days=2))
    EntryFactory.create(succeeded=True, kind="grouped", external_id="f")
    narrowed = EntryFilter(**narrow)  # type: ignore[arg-type]
    assert EntryFilter.of_data(narrowed.data()) == narrowed
    operation = start(Selection(filter=narrowed))
    ids = [id_ for run in Run.objects.filter(operation=operation) for id_ in run.entry_ids]
    assert set(Entry.objects.filter(pk__in=ids).values_list("external_id", flat=True)) == matches


def test_the_same_key_gives_the_same_operation_and_only_to_the_same_actor() -> None:
    failed(2)

    def ask(actor: Actor) -> Operation:
        return control.start(FAILED, action=Action.RETRY, actor=actor, idempotency_key="k1")

    first = ask(SCRIPT)
    assert ask(SCRIPT).pk == first.pk
    assert ask(Actor.command("another")).pk != first.pk


def test_paused_nothing_starts_and_resumed_it_finishes() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    control.pause(operation.pk, actor=SCRIPT, reason="lunch")
    work()
    found = progress(operation.pk)
    assert (found.queued, found.succeeded, found.operation.pause_reason) == (25, 0, "lunch")
    dispatcher = Dispatcher()
    assert not any(dispatcher.tick().busy for _ in range(3)), "what is held is not handed over"
    control.resume(operation.pk, actor=SCRIPT)
    assert to_the_end(operation).succeeded == 25
    verbs = AuditEvent.objects.order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["start_retry", "pause", "resume"]


def test_paused_before_it_began_it_begins_when_resumed() -> None:
    failed(2)
    operation = start()
    control.pause(operation.pk, actor=SCRIPT)
    assert Dispatcher().tick().started == 0
    assert control.resume(operation.pk, actor=SCRIPT).state == "planned"
    assert to_the_end(operation).succeeded == 2


def test_a_run_at_work_stops_between_entries_when_its_operation_is_paused(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    ids = failed(10, wait_for=str(gate))
    operation = start()
    Dispatcher().tick()

    def pause_in_the_middle() -> None:
        try:
            wait_until(lambda: Entry.objects.filter(status="running").exists())
            control.pause(operation.pk, actor=SCRIPT)
            paused = time.monotonic()
            wait_until(lambda: time.monotonic() - paused > SECONDS, what="time to ask again")
            gate.touch()
        finally:
            connection.close()

    with ThreadPoolExecutor() as pool:
        pausing = pool.submit(pause_in_the_middle)
        execution.execute(Run.objects.get().pk, worker="test")
        pausing.result()
    found = progress(operation.pk)
    assert (found.succeeded, found.queued) == (1, 9)
    assert consistent(found)
    control.resume(operation.pk, actor=SCRIPT)
    assert to_the_end(operation).succeeded == 10
    assert set(Entry.objects.filter(pk__in=ids).values_list("attempt", flat=True)) == {2}


def test_cancelled_in_the_middle_what_waits_is_as_before_and_sums_match() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    execution.execute(Run.objects.get(position=0).pk, worker="test")
    control.cancel(operation.pk, actor=SCRIPT, reason="wrong source")
    work()
    found = to_the_end(operation)
    assert (found.operation.state, found.succeeded, found.cancelled) == ("cancelled", 10, 15)
    assert consistent(found)
    assert Counter(Entry.objects.values_list("status", flat=True)) == {
        "succeeded": 10,
        "failed": 15,
    }
    assert Attempt.objects.filter(status="cancelled").count() == 15
    outcomes = Counter(item.outcome for item in items(operation).items)
    assert outcomes == {"succeeded": 10, "cancelled": 15}
    with pytest.raises(OperationFinished):
        control.resume(operation.pk, actor=SCRIPT)
    assert retry_entries([Entry.objects.failed()[0].id], actor=SCRIPT).queued == 1


def test_cancelled_before_it_began_it_touches_nothing() -> None:
    failed(5)
    before = list(Entry.objects.values())
    operation = start()
    control.cancel(operation.pk, actor=SCRIPT)
    found = to_the_end(operation)
    assert (found.cancelled, found.total) == (5, 5)
    assert list(Entry.objects.values()) == before


def test_a_canary_that_fails_pauses_and_touches_nothing_else() -> None:
    ids = failed(20, do="fail")
    rest = failed(30)
    operation = start(canary_size=20, max_failure_rate=0.1)
    for _ in range(3):
        Dispatcher().tick()
        work()
    found = progress(operation.pk)
    assert found.operation.state == "paused"
    assert found.operation.pause_reason == "Canary: 20 of 20 failed, limit 10%"
    assert (found.failed, found.planned) == (20, 30)
    untouched = Entry.objects.filter(pk__in=rest)
    assert set(untouched.values_list("attempt", "status")) == {(1, "failed")}
    event = AuditEvent.objects.get(verb="pause")
    assert (event.actor_label, event.reason) == ("dispatcher", found.operation.pause_reason)
    control.resume(operation.pk, actor=SCRIPT, reason="it is repaired")
    found = to_the_end(operation)
    assert (found.succeeded, found.failed) == (30, 20)
    assert Entry.objects.filter(pk__in=ids, attempt=2).count() == 20


def test_a_canary_that_succeeds_lets_the_rest_go() -> None:
    failed(50)
    found = to_the_end(start(canary_size=5))
    assert (found.succeeded, found.operation.canary_done) == (50, True)
    assert [run.size for run in Run.objects.filter(canary=True)] == [5]


def test_the_failure_limit_holds_over_the_last_outcomes_too() -> None:
    failed(10)
    failed(90, do="fail")
    operation = start(max_failure_rate=0.5)
    pacing.step(operation.pk)  # as if the pace had allowed only these
    for run in Run.objects.order_by("position")[:4]:
        execution.execute(run.pk, worker=f"test:{run.position}")
    assert pacing.step(operation.pk) == 0
    assert progress(operation.pk).operation.pause_reason == "30 of 40 failed, limit 50%"


def test_a_pace_starts_no_more_than_it_allows() -> None:
    failed(40)
    operation = start(rate_per_second=10.0)
    Dispatcher().tick()
    found = progress(operation.pk)
    assert found.queued + found.succeeded <= 20
    assert found.planned >= 20
    assert max(run.size for run in Run.objects.all()) <= 10


def test_a_worker_lost_in_the_middle_of_an_operation_costs_no_entry() -> None:
    from django.db.models.functions import Now

    from entries import transitions
    from retry.runs import claim_run

    failed(20)
    operation = start()
    Dispatcher().tick()
    run = Run.objects.get(position=0)
    claim_run(run.pk, worker="gone")
    transitions.claim(run.entry_ids[:3], run_id=run.pk, worker="gone")
    Run.objects.filter(pk=run.pk).update(lease_expires_at=Now() - timedelta(seconds=1))
    found = to_the_end(operation)
    assert (found.succeeded, found.total) == (20, 20)
    assert consistent(found)
    assert Attempt.objects.filter(status="lost").count() == 3
    assert Run.objects.filter(operation=operation).count() == 6
    assert len(items(operation).items) == 20


def test_overlapping_operations_and_clicks_share_out_with_reasons() -> None:
    ids = failed(30)
    first, second = start(), start()
    clicked = retry_entries(ids[:5], actor=SCRIPT)
    assert clicked.queued == 5
    done = [to_the_end(first), to_the_end(second)]
    run_worker("default", burst=True)
    assert [found.succeeded for found in done] == [25, 0]
    assert all(consistent(found) for found in done)
    assert done[1].skipped_total == 30
    assert set(Entry.objects.values_list("attempt", flat=True)) == {2}


def test_what_failed_again_can_be_retried_as_an_operation() -> None:
    failed(5)
    bad = failed(4, do="fail")
    first = start()
    to_the_end(first)
    second = control.retry_failed(first.pk, actor=SCRIPT, reason="once more")
    assert [id_ for run in second.runs.all() for id_ in run.entry_ids] == bad
    assert to_the_end(second).failed == 4
    with pytest.raises(OperationNotFound):
        control.retry_failed(uuid4(), actor=SCRIPT)


def test_discard_and_restore_go_the_same_way() -> None:
    failed(3)
    EntryFactory.create()  # pending
    running = EntryFactory.create(running=True)
    every = Selection(filter=EntryFilter(all=True))
    discarded = control.start(every, action=Action.DISCARD, actor=SCRIPT, reason="old")
    found = to_the_end(discarded)
    assert (found.succeeded, found.skipped) == (4, {"already_running": 1})
    assert Entry.objects.filter(status="discarded").count() == 4
    restored = to_the_end(control.start(every, action=Action.RESTORE, actor=SCRIPT))
    assert (restored.succeeded, restored.skipped) == (4, {"already_running": 1})
    assert Counter(Entry.objects.exclude(pk=running.pk).values_list("status", flat=True)) == {
        "failed": 3,
        "pending": 1,
    }


def test_items_come_in_pages_that_miss_and_repeat_nothing() -> None:
    ids = failed(25)
    operation = start()
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = items(operation, cursor=cursor, limit=7)
        seen.extend(item.entry_id for item in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids
    with pytest.raises(ValueError, match="outcome"):
        items(operation, outcome="odd")
    with pytest.raises(ValueError):  # noqa: PT011 - whatever parsing says
        items(operation, cursor="x")
    assert all(items(operation, outcome=name).items == [] for name in OUTCOMES if name != "planned")


def test_an_operation_over_nothing_is_completed() -> None:
    found = to_the_end(start())
    assert (found.total, found.operation.state) == (0, "completed")


def test_progress_equals_a_count_in_sql_while_it_runs() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    execution.execute(Run.objects.get(position=1).pk, worker="test")
    found = progress(operation.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, count(*) FROM entries_entry GROUP BY status")
        counted = dict(cursor.fetchall())
    assert counted == {"queued": found.queued, "succeeded": found.succeeded}
