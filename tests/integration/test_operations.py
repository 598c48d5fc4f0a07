"""Operations: frozen, counted, run to outcomes, and true to the last entry."""

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.utils import timezone

from entries.filters import EntryFilter
from entries.models import Entry
from entries.states import EntryStatus
from retry.dispatcher.loop import Dispatcher
from retry.errors import (
    EmptySelection,
    NotPermitted,
    TooManyEntries,
)
from retry.models import Action, AuditEvent, Operation, Run
from retry.operations import control
from retry.operations.items import ITEM_ORDER, OUTCOMES, list_items
from retry.operations.progress import read_progress
from retry.operations.selection import Selection, preview
from retry.outcomes import Actor, Channel
from retry.pages import Cursor
from retry.reasons import Reason
from retry.worker import execution
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.operations import FAILED, consistent, failed, start, to_the_end

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_ticks", "no_shutdown"),
]


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
    listed = list_items(found.operation, outcome="failed").items
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
        control.start(
            FAILED, action=Action.RETRY, actor=Actor.from_user(reader, channel=Channel.API)
        )
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
    listed = {
        item.entry_id: (item.outcome, item.reason) for item in list_items(found.operation).items
    }
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
    assert EntryFilter.from_data(narrowed.data()) == narrowed
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
    cursor: Cursor | None = None
    while True:
        page = list_items(operation, cursor=cursor, limit=7)
        seen.extend(item.entry_id for item in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids
    with pytest.raises(ValueError, match="outcome"):
        list_items(operation, outcome="odd")
    with pytest.raises(ValueError):  # noqa: PT011 - whatever parsing says
        ITEM_ORDER.parse("x")
    assert all(
        list_items(operation, outcome=name).items == [] for name in OUTCOMES if name != "planned"
    )


def test_the_canary_comes_first() -> None:
    ids = failed(25)
    operation = start(canary_size=3)
    canary = [
        id_ for run in Run.objects.filter(operation=operation, canary=True) for id_ in run.entry_ids
    ]
    seen: list[int] = []
    cursor: Cursor | None = None
    while True:
        page = list_items(operation, cursor=cursor, limit=2)
        seen.extend(item.entry_id for item in page.items)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert sorted(seen[:3]) == sorted(canary)
    assert sorted(seen) == ids, "none is missing, and none comes twice"


def test_an_operation_over_nothing_is_completed() -> None:
    found = to_the_end(start())
    assert (found.total, found.operation.state) == (0, "completed")


def test_progress_equals_a_count_in_sql_while_it_runs() -> None:
    failed(25)
    operation = start()
    Dispatcher().tick()
    execution.execute(Run.objects.get(position=1).pk, worker="test")
    found = read_progress(operation.pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT status, count(*) FROM entries_entry GROUP BY status")
        counted = dict(cursor.fetchall())
    assert counted == {"queued": found.queued, "succeeded": found.succeeded}
