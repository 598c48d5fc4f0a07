"""Resync as an operation: what came of each, and how often its source is read."""

from typing import Any

import pytest

from entries.models import Entry
from retry.dispatcher.pacing import pace
from retry.models import Action, Operation, Run
from retry.operations import control
from retry.operations.items import list_items
from retry.operations.progress import read_progress
from retry.operations.selection import Selection, preview
from retry.reasons import Reason
from retry.worker import resync
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.shops import Shop, work

pytestmark = pytest.mark.django_db(transaction=True)


class TestInBulk:
    def start(self, shop: Shop, **options: Any) -> Operation:
        chosen = Selection(ids=tuple(Entry.objects.values_list("pk", flat=True)))
        operation = control.start(chosen, action=Action.RESYNC, actor=SCRIPT, **options)
        pace()
        return operation

    def test_an_operation_says_what_came_of_each(self, shop: Shop) -> None:
        names = [f"n{number}" for number in range(30)]
        for name in names:
            shop.entry(name)
        EntryFactory.create(failed=True)
        changed = {name: {"page": "new"} for name in names[:10]}
        shop.has(**changed, **{name: {"page": "old"} for name in names[10:]})
        operation = self.start(shop, only_if_changed=True)
        work(linger=5.0)
        pace()
        found = read_progress(operation.pk)
        assert (found.succeeded, found.unchanged, found.skipped) == (10, 20, {"no_source": 1})
        assert found.total == found.settled == 31
        assert found.finished
        page = list_items(operation, outcome="unchanged", limit=50)
        assert len(page.items) == 20

    def test_one_reading_serves_the_runs_that_were_asked_for_before_it(self, shop: Shop) -> None:
        names = [f"n{number:03}" for number in range(120)]
        for name in names:
            shop.entry(name)
        shop.has(**{name: {"page": "new"} for name in names})
        self.start(shop)
        assert Run.objects.count() > 2
        work(linger=5.0)
        assert Entry.objects.filter(payload__page="new", status="succeeded").count() == 120
        assert shop.readings == 1

    def test_a_reading_too_large_to_keep_is_not_kept(
        self, shop: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(resync, "MAX_CHARACTERS", 100)
        names = [f"n{number:03}" for number in range(60)]
        for name in names:
            shop.entry(name)
        shop.has(**{name: {"page": "new"} for name in names})
        self.start(shop)
        runs = Run.objects.count()
        work(linger=5.0)
        assert Entry.objects.filter(payload__page="new", status="succeeded").count() == 60
        assert shop.readings == runs

    def test_what_cannot_be_stored_of_one_fails_that_one_alone(self, shop: Shop) -> None:
        """Although one reading served them all."""
        names = [f"n{number:03}" for number in range(60)]
        for name in names:
            shop.entry(name)
        list_items = {name: {"page": "new"} for name in names}
        shop.has(**list_items | {"n007": {"page": "x" * 300_000}})
        operation = self.start(shop)
        work(linger=5.0)
        pace()
        found = read_progress(operation.pk)
        assert (found.succeeded, found.failed, shop.readings) == (59, 1, 1)
        odd = Entry.objects.get(external_id="n007")
        assert (odd.status, odd.payload, odd.gone_at) == ("succeeded", {"page": "old"}, None)

    def test_a_closed_source_fails_all_and_changes_none(self, shop: Shop) -> None:
        for number in range(30):
            shop.entry(f"n{number}")
        operation = self.start(shop)
        work(linger=5.0)
        pace()
        found = read_progress(operation.pk)
        assert (found.failed, found.succeeded) == (30, 0)
        assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}
        again = control.retry_failed(operation.pk, actor=SCRIPT)
        assert (again.action, again.total) == ("resync", 30), "none of them is failed"

    def test_a_preview_knows_what_has_no_source(self, shop: Shop) -> None:
        kept = shop.entry()
        bare = EntryFactory.create(failed=True)
        found = preview(Selection(ids=(kept.pk, bare.pk)), action=Action.RESYNC, actor=SCRIPT)
        assert (found.eligible, dict(found.skipped)) == (1, {Reason.NO_SOURCE: 1})
