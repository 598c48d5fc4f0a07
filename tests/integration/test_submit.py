"""Submit: what is pushed is stored and queued once, whatever is there already."""

from typing import Any

import pytest

from entries.content import content_hash
from entries.errors import UnknownKind
from entries.models import Entry
from entries.sources.base import SourceItem
from entries.states import STORED_INTO, EntryStatus
from retry.errors import InvalidItems, SourceNotFound, TooManyEntries
from retry.models import AuditEvent, Run
from retry.reasons import Reason
from retry.service import submit
from retry.submission import Effect, Fate, foresee
from retry.worker import run_worker
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT

pytestmark = pytest.mark.django_db(transaction=True)
OLD = {"do": "succeed"}
NEW = {"do": "succeed", "n": 2}


def item(external_id: str = "a", payload: Any = None, title: str = "") -> SourceItem:
    return SourceItem(external_id, title, OLD if payload is None else payload)


def known(status: EntryStatus, **fields: Any) -> Entry:
    trait = {} if status is EntryStatus.PENDING else {status.value: True}
    values = {"kind": "scripted", "external_id": "a", "title": "", "payload": OLD} | fields
    return EntryFactory.create(**values, **trait, content_hash=content_hash("", OLD))


def everything() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Entry, Run, AuditEvent)]


def test_new_entries_are_stored_queued_and_executed() -> None:
    source = SourceFactory.create(slug="orders", entry_kind="scripted")
    items = [item("b", {"n": 1}, "Second"), item("a", {"n": 2}, "First")]
    outcome = submit(items, kind=None, source="orders", actor=SCRIPT, reason="because")
    assert [found.external_id for found in outcome.items] == ["b", "a"], "in the order given"
    assert {found.effect for found in outcome.items} == {Effect.CREATED}
    assert (outcome.queued, outcome.dispatched, dict(outcome.skipped)) == (2, True, {})
    run = Run.objects.get()
    assert (run.trigger, run.reason, run.queue) == ("submit", "because", "bulk")
    assert run.source_id == source.pk
    assert {found.run_id for found in outcome.items} == {run.pk}
    run_worker("bulk", burst=True)
    entries = Entry.objects.order_by("external_id")
    assert [(e.title, e.status, e.kind) for e in entries] == [
        ("First", "succeeded", "scripted"),
        ("Second", "succeeded", "scripted"),
    ]
    event = AuditEvent.objects.get()
    assert (event.verb, event.count, event.source_id) == ("submit", 2, source.pk)
    assert event.after is not None
    assert event.after["created"] == event.after["queued"] == 2


def test_the_same_again_changes_nothing() -> None:
    submit([item()], kind="scripted", actor=SCRIPT)
    run_worker("bulk", burst=True)
    before = everything()
    again = submit([item()], kind="scripted", actor=SCRIPT)
    assert again.items[0].reason is Reason.UNCHANGED
    assert again.items[0].effect is Effect.UNCHANGED
    assert (again.queued, again.dispatched) == (0, True)
    assert everything() == before


@pytest.mark.parametrize("changed", [True, False])
@pytest.mark.parametrize("status", list(EntryStatus))
def test_what_becomes_of_one_that_is_known(status: EntryStatus, changed: bool) -> None:  # noqa: FBT001
    entry = known(status)
    before = Entry.objects.values().get()
    fate = foresee(status, changed=changed, same_kind=True)
    outcome = submit([item(payload=NEW if changed else OLD)], kind="scripted", actor=SCRIPT)
    (found,) = outcome.items
    assert (found.entry_id, found.effect, found.reason) == (entry.pk, fate.effect, fate.reason)
    after = Entry.objects.get()
    assert after.payload == (NEW if changed and status in STORED_INTO else OLD)
    assert (fate.effect is Effect.UPDATED) == (after.payload == NEW)
    if found.queued:
        assert (after.status, after.attempt) == ("queued", entry.attempt + 1)
        assert (found.status, found.attempt, found.run_id) == (
            "queued",
            after.attempt,
            after.run_id,
        )
        assert after.automatic_attempts == 0, "a cycle of its own"
        assert after.next_attempt_at is None
    else:
        assert (found.status, found.attempt, found.run_id) == (status, entry.attempt, None)
        assert (after.status, after.attempt, after.run_id) == (status, entry.attempt, entry.run_id)
    if fate.effect in {Effect.UNCHANGED, Effect.LEFT_ALONE} and not found.queued:
        assert Entry.objects.values().get() == before
        assert not AuditEvent.objects.exists()
    else:
        assert AuditEvent.objects.get().entry_id == entry.pk


def test_another_kind_is_left_alone() -> None:
    entry = known(EntryStatus.FAILED, kind="page")
    before = Entry.objects.values().get()
    (found,) = submit([item(payload=NEW)], kind="scripted", actor=SCRIPT).items
    assert (found.effect, found.reason) == (Effect.LEFT_ALONE, Reason.OTHER_KIND)
    assert (found.entry_id, found.status) == (entry.pk, "failed")
    assert Entry.objects.values().get() == before
    assert foresee(EntryStatus.FAILED, changed=True, same_kind=False) == Fate(
        Effect.LEFT_ALONE, Reason.OTHER_KIND
    )


def test_what_a_source_had_lost_is_not_gone_any_more() -> None:
    entry = known(EntryStatus.SUCCEEDED)
    Entry.objects.filter(pk=entry.pk).update(gone_at="2026-01-01T00:00Z")
    (found,) = submit([item()], kind="scripted", actor=SCRIPT).items
    assert found.effect is Effect.UNCHANGED
    assert Entry.objects.get().gone_at is None


def test_a_source_is_a_namespace_and_so_is_none() -> None:
    SourceFactory.create(slug="orders", entry_kind="scripted")
    one = submit([item()], kind="scripted", source="orders", actor=SCRIPT).items[0]
    two = submit([item()], kind="scripted", actor=SCRIPT).items[0]
    again = submit([item()], kind="scripted", actor=SCRIPT).items[0]
    assert one.entry_id != two.entry_id == again.entry_id


def test_many_go_behind_clicks(settings: Any) -> None:
    settings.REDRIVE_CLICK_SIZE = 3
    items = [item(str(n)) for n in range(25)]
    outcome = submit(items, kind="grouped", actor=SCRIPT)
    assert outcome.queued == 25
    assert set(Run.objects.values_list("queue", "size")) == {("bulk", 10), ("bulk", 5)}
    assert [found.external_id for found in outcome.items] == [str(n) for n in range(25)]


BAD: dict[str, tuple[list[SourceItem], dict[tuple[int, str], str]]] = {
    "twice": ([item(), item("b"), item()], {(2, "external_id"): "same as in entries.0"}),
    "blank": ([item(" \t")], {(0, "external_id"): "blank"}),
    "long": ([item("x" * 501)], {(0, "external_id"): "500"}),
    "control": ([item("a\x00"), item("b\x1b")], {(0, "external_id"): "control characters"}),
    "surrogate": ([item("a\ud800")], {(0, "external_id"): "control characters"}),
    "long title": ([item(title="x" * 501)], {(0, "title"): "500"}),
    "title with NUL": ([item(title="\x00")], {(0, "title"): "control characters"}),
    "a list": ([item(payload=[1])], {(0, "payload"): "must be a JSON object"}),
    "no JSON": ([item(payload={"a": object()})], {(0, "payload"): "object is not JSON"}),
    "NUL": ([item(payload={"a": ["\x00"]})], {(0, "payload"): "NUL"}),
    "surrogate in a key": ([item(payload={"\udfff": 1})], {(0, "payload"): "does not know"}),
    "NaN": ([item(payload={"a": float("nan")})], {(0, "payload"): "does not know"}),
    "large": ([item(payload={"a": "x" * 262_144})], {(0, "payload"): "262,144"}),
    "endless": ([item(payload={"a": 10**5000})], {(0, "payload"): "does not know"}),
}


@pytest.mark.parametrize(("items", "named"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_stored_is_named_and_nothing_is(
    items: list[SourceItem], named: dict[tuple[int, str], str]
) -> None:
    with pytest.raises(InvalidItems) as caught:
        submit([item("fine"), *items], kind="scripted", actor=SCRIPT)
    problems = caught.value.problems
    for (index, member), words in named.items():
        moved = words.replace("entries.0", "entries.1")
        assert moved in problems[index + 1, member]
    assert all(index > 0 for index, _ in problems)
    assert not Entry.objects.exists()
    assert not AuditEvent.objects.exists()


def test_a_structure_that_holds_itself_is_refused() -> None:
    circle: dict[str, Any] = {}
    circle["self"] = circle
    with pytest.raises(InvalidItems):
        submit([item(payload=circle)], kind="scripted", actor=SCRIPT)


def test_unknown_kinds_and_sources() -> None:
    SourceFactory.create(slug="orders", entry_kind="nothing-like-it")
    for kind, source in (("nothing", None), (None, None), ("nothing", "orders"), (None, "orders")):
        with pytest.raises(UnknownKind):
            submit([item()], kind=kind, source=source, actor=SCRIPT)
    with pytest.raises(SourceNotFound):
        submit([item()], kind="scripted", source="nowhere", actor=SCRIPT)
    with pytest.raises(TooManyEntries):
        submit([item(str(n)) for n in range(1001)], kind="scripted", actor=SCRIPT)
    assert not Entry.objects.exists()


def test_nothing_pushed_is_nothing_done() -> None:
    outcome = submit([], kind="scripted", actor=SCRIPT)
    assert (outcome.items, outcome.queued, outcome.dispatched) == ((), 0, True)
    assert not AuditEvent.objects.exists()
