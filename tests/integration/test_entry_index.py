"""The index of entries holds what is stored, whoever stored it, and no transition touches it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from entries import lists
from entries.models import Entry, IndexBacklog, IndexedEntry, Source
from entries.sources.base import SourceItem
from entries.storage import derive_upstreams, index, upsert_entries
from retry.models import Action, AuditEvent
from retry.operations.control import start
from retry.operations.selection import Selection
from retry.service import retry_entries, submit
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.syncing import sync
from tests.support.upkeep import forget_index

pytestmark = pytest.mark.django_db(transaction=True)

_DIFFERENCE = """
SELECT id, source_id, kind, upstream, external_id || chr(31) || title FROM entries_entry
EXCEPT SELECT id, source_id, kind, upstream, text FROM entries_indexedentry
"""


def is_true() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_DIFFERENCE)
        missing = cursor.fetchall()
    return not missing and IndexedEntry.objects.count() == Entry.objects.count()


def item(id_: str, title: str = "", **payload: object) -> SourceItem:
    return SourceItem(id_, title, payload)


def _run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _save(**values: Any) -> None:
    entry = Entry.objects.order_by("pk")[0]
    for name, value in values.items():
        setattr(entry, name, value)
    entry.save()


WRITERS: dict[str, Callable[[], object]] = {
    "an upsert of new and known items": lambda: upsert_entries(
        source_id=None, kind="routed", items=[item("a", "New", to="erp"), item("z", to="x")]
    ),
    "a push": lambda: submit([item("a", "New", to="erp"), item("z")], kind="routed", actor=SCRIPT),
    "a saved instance": lambda: _save(title="Edited", external_id="other"),
    "another source": lambda: _save(source=SourceFactory.create()),
    "an update by Django": lambda: Entry.objects.update(title="All the same"),
    "a bulk insert by Django": lambda: Entry.objects.bulk_create(
        [Entry(kind="page", external_id=f"new {n}", title="New") for n in range(3)]
    ),
    "an update by SQL": lambda: _run("UPDATE entries_entry SET kind = 'page', upstream = 'x'"),
    "an insert by SQL": lambda: _run(
        "INSERT INTO entries_entry (kind, external_id, title, payload, content_hash)"
        " VALUES ('page', 'sql', 'SQL', '{}', '') ON CONFLICT DO NOTHING"
    ),
    "a deletion": lambda: _run("DELETE FROM entries_entry WHERE external_id = 'a'"),
    "truncating": lambda: _run("TRUNCATE entries_entry CASCADE"),
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_writer_of_content_writes_it(name: str) -> None:
    for id_ in "abc":
        EntryFactory.create(kind="routed", external_id=id_, title="Old", payload={"to": "crm"})
    assert is_true()
    WRITERS[name]()
    assert is_true()


def test_syncs_and_derived_upstreams_write_it(tmp_path: Path) -> None:
    file = tmp_path / "shelf.json"
    file.write_text('{"a": {"to": "crm"}, "b": {}}')
    source: Source = SourceFactory.create(
        slug="shop", kind="shelf", location=str(file), entry_kind="routed"
    )
    sync(source)
    assert is_true()
    file.write_text('{"a": {"to": "erp"}}')
    sync(source)
    assert is_true()
    Entry.objects.update(upstream="")
    assert derive_upstreams() == 2
    assert is_true()


def test_no_transition_writes_it() -> None:
    failed = [EntryFactory.create(failed=True).pk for _ in range(3)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, ctid::text FROM entries_indexedentry ORDER BY id")
        before = cursor.fetchall()
        retry_entries(failed[:2], actor=SCRIPT)
        start(Selection(ids=(failed[2],)), action=Action.DISCARD, actor=SCRIPT)
        cursor.execute("SELECT id, ctid::text FROM entries_indexedentry ORDER BY id")
        assert cursor.fetchall() == before


class TestBacklog:
    def test_is_worked_off_in_batches_and_after_an_interruption(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for n in range(7):
            EntryFactory.create(title=f"Old {n}")
        forget_index()
        monkeypatch.setattr(index, "BATCH", 3)
        index._index_batch()
        assert IndexedEntry.objects.count() == 3
        EntryFactory.create(title="Stored meanwhile")
        Entry.objects.filter(title="Old 6").update(title="Changed meanwhile")
        assert not lists.is_indexed()
        call_command("index_entries")
        assert capsys.readouterr().out == "Indexed 3 entries.\n", "triggers had written two"
        assert is_true()
        assert lists.is_indexed()
        assert AuditEvent.objects.get(verb="index_entries").count == 3

    def test_nothing_to_do(self) -> None:
        assert index.index_entries() == 0

    def test_lists_and_searches_do_without_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        source = SourceFactory.create(slug="old")
        found = [EntryFactory.create(title="needle", source=source).pk for _ in range(2)]
        EntryFactory.create(title="other")
        forget_index()
        everything = Entry.objects.all()
        narrowed = lists.use_index(everything.filter(source=source), source="old")
        assert set(narrowed.values_list("pk", flat=True)) == set(found)
        ids, last = lists.find_behind(
            everything, visible=everything, text="needle", behind=None, limit=10
        )
        assert (list(ids), last) == (found[::-1], None)
        assert IndexBacklog.objects.exists()
