"""``is_rescan``: an entry that was attempted before is run again, whatever asked for it."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import F

from entries import transitions
from entries.models import Entry
from entries.sources.base import SourceItem
from retry.models import Action, Run
from retry.operations import control
from retry.operations.selection import Selection
from retry.runs.rescue import rescue
from retry.service import (
    resync_entry,
    retry_entries_now,
    retry_entry,
    submit,
    submit_entries,
    wake_entries,
)
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.operations import to_the_end
from tests.support.shops import Shop, work

pytestmark = pytest.mark.django_db(transaction=True)


def flags(entry: Entry) -> list[bool]:
    return list(entry.attempts.order_by("number").values_list("is_rescan", flat=True))


def told(entry: Entry) -> object:
    """What its kind was told of the last attempt."""
    entry.refresh_from_db()
    return (entry.result or {}).get("rescan")


def pending(**payload: object) -> Entry:
    return EntryFactory.create(kind="telling", payload=payload)


def test_the_first_attempt_at_an_entry_is_none(shop: Shop) -> None:
    entry = pending()
    submit_entries([entry.pk], actor=SCRIPT)
    work()
    assert (flags(entry), told(entry)) == ([False], False)


def test_a_resync_of_what_was_never_attempted_is_none_and_says_that_it_is_a_resync(
    shop: Shop,
) -> None:
    entry = shop.entry(succeeded=False)
    shop.has(a={"page": "new"})
    resync_entry(entry.pk, actor=SCRIPT)
    work()
    assert (flags(entry), told(entry)) == ([False], False)
    assert Run.objects.get().trigger == "resync"
    assert entry.attempts.get().change == "changed"


AGAIN: dict[str, tuple[str, Callable[[int], object]]] = {
    "retry": ("failed", lambda id_: retry_entry(id_, actor=SCRIPT)),
    "retry now": ("scheduled", lambda id_: retry_entries_now([id_], actor=SCRIPT)),
    "automatic": ("scheduled", lambda id_: wake_entries([id_], actor=SCRIPT)),
    "resync": ("succeeded", lambda id_: resync_entry(id_, actor=SCRIPT)),
}


@pytest.mark.parametrize("how", AGAIN)
def test_whatever_runs_it_again(how: str, shop: Shop) -> None:
    status, ask = AGAIN[how]
    given: dict[str, Any] = {"succeeded": False, status: True}
    entry = shop.entry(**given)
    shop.has(a={"page": "old"})
    ask(entry.pk)
    work()
    assert (flags(entry), told(entry)) == ([False, True], True)


def test_a_push_of_new_content(shop: Shop) -> None:
    entry = pending()
    submit_entries([entry.pk], actor=SCRIPT)
    work()
    item = SourceItem(external_id=entry.external_id, title="new", payload={"page": "new"})
    submit([item], kind="telling", actor=SCRIPT)
    work()
    assert (flags(entry), told(entry)) == ([False, True], True)


@pytest.mark.parametrize("action", [Action.RETRY, Action.RESYNC])
def test_an_operation(action: Action, shop: Shop) -> None:
    entry = shop.entry(succeeded=False, failed=True)
    new = shop.entry("b", succeeded=False)
    shop.has(a={"page": "old"}, b={"page": "old"})
    chosen = Selection(ids=(entry.pk, new.pk))
    to_the_end(control.start(chosen, action=action, actor=SCRIPT))
    assert flags(entry) == [False, True]
    assert flags(new) == ([False] if action is Action.RESYNC else [])


def test_a_rescue(shop: Shop) -> None:
    entry = pending()
    submit_entries([entry.pk], actor=SCRIPT)
    Run.objects.update(
        state="running", worker="dead", started_at=F("created_at"), lease_expires_at=F("created_at")
    )
    run = Run.objects.get()
    transitions.claim([entry.pk], run_id=run.pk, worker="dead")
    assert rescue(run) == 1
    work()
    assert (flags(entry), told(entry)) == ([False, True], True)


def test_an_attempt_that_never_began_does_not_count(shop: Shop) -> None:
    entry = pending()
    submit_entries([entry.pk], actor=SCRIPT)
    transitions.cancel([entry.pk], run_id=Run.objects.get().pk)
    submit_entries([entry.pk], actor=SCRIPT)
    work()
    assert (flags(entry), told(entry)) == ([False, False], False)
