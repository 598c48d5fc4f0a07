"""Notices under hidden sources: they tell nobody of what their receiver may not see."""

from typing import TYPE_CHECKING

import pytest

from entries.filters import EntryFilter
from entries.models import Entry
from retry.models import Action
from retry.notices.delivery import find_source
from retry.operations import control
from retry.operations.selection import Selection
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support import holds, notices
from tests.support.asking import SCRIPT
from tests.support.error_groups import note_failures
from tests.support.hiding import forget_scope, hide_source, only_source
from tests.support.operations import to_the_end

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("short_ticks")]


def operate(*entries: Entry) -> None:
    chosen = Selection(ids=tuple(entry.pk for entry in entries))
    to_the_end(control.start(chosen, action=Action.RETRY, actor=SCRIPT, reason="INC-42"))
    notices.tick()


def test_an_operation_on_a_hidden_entry_is_not_told(reader: "User") -> None:
    mine, theirs = SourceFactory.create(), SourceFactory.create()
    hide_source(theirs)
    notices.subscribe_to(user=grant(reader, "retry.view_operation"), everyones=True)
    seen, hidden = (
        EntryFactory.create(failed=True, kind="scripted", source=source)
        for source in (mine, theirs)
    )
    operate(hidden)
    assert notices.list_subjects() == []
    operate(seen, EntryFactory.create(failed=True, kind="scripted", source=theirs))
    assert notices.list_subjects() == [], "its numbers are of both"
    operate(EntryFactory.create(failed=True, kind="scripted", source=mine))
    assert len(notices.list_subjects()) == 1


def test_nor_one_chosen_by_payloads_to_who_sees_none(reader: "User") -> None:
    notices.subscribe_to(user=grant(reader, "retry.view_operation"), everyones=True)
    entry = EntryFactory.create(failed=True, kind="scripted", payload={"customer": 17})
    chosen = Selection(filter=EntryFilter(payload={"customer": (17,)}))
    to_the_end(control.start(chosen, action=Action.RETRY, actor=SCRIPT))
    notices.tick()
    assert notices.list_subjects() == []
    assert Entry.objects.get(pk=entry.pk).attempt == 2


def test_a_group_that_has_hidden_failures_is_not_told(reader: "User") -> None:
    notices.subscribe_to(user=grant(reader, "retry.view_errorgroup"))
    mine, theirs = SourceFactory.create(slug="mine"), SourceFactory.create()
    for source in (mine, theirs):
        EntryFactory.create(failed=True, fingerprint="1-shared", source=source)
    EntryFactory.create(failed=True, fingerprint="1-mine", source=mine)
    with only_source("mine"):
        note_failures("1-shared", message="shared")
        note_failures("1-mine", message="mine")
        notices.let_settle()
        notices.tick()
    assert notices.list_subjects() == ["New error: TransientError: mine"]


def test_a_hold_on_a_hidden_upstream_is_not_told(reader: "User") -> None:
    notices.subscribe_to(user=grant(reader, "retry.view_hold"))
    for slug, upstream in (("mine", "well.example"), ("theirs", "dead.example")):
        source = SourceFactory.create(slug=slug)
        EntryFactory.create(failed=True, kind="routed", upstream=upstream, source=source)
    with only_source("mine"):
        holds.tripped("routed", "dead.example")
        notices.let_settle()
        notices.tick()
    assert notices.list_subjects() == []


def test_deliveries_are_seen_by_who_sees_everything(reader: "User") -> None:
    """Their payloads hold what the notices say, of any source."""
    delivery = EntryFactory.create(source=find_source(), kind="webhook")
    assert delivery in Entry.objects.visible_to(reader)
    hide_source(SourceFactory.create())
    assert delivery not in Entry.objects.visible_to(forget_scope(reader))
