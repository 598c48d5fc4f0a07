"""An entry knows what it depends on from wherever its content is stored."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from entries.models import Entry, Source
from entries.sources.base import SourceItem
from entries.storage import derive_upstreams, upsert_entries
from retry.models import AuditEvent, Run
from retry.service import resync_entries, submit
from retry.worker import execution
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.syncing import sync

pytestmark = pytest.mark.django_db(transaction=True)


def upstreams() -> dict[str, str]:
    return dict(Entry.objects.values_list("external_id", "upstream"))


def item(id_: str, **payload: object) -> SourceItem:
    return SourceItem(id_, "", payload)


def test_stored_by_a_sync(tmp_path: Path) -> None:
    file = tmp_path / "shelf.json"
    file.write_text('{"a": {"to": "crm"}, "b": {}, "c": {"to": "raise"}}')
    source: Source = SourceFactory.create(
        slug="shop", kind="shelf", location=str(file), entry_kind="routed"
    )
    sync(source)
    assert upstreams() == {"a": "crm", "b": "shop", "c": ""}
    file.write_text('{"a": {"to": "erp"}, "b": {}, "c": {"to": "raise"}}')
    sync(source)
    assert upstreams()["a"] == "erp"


def test_stored_without_a_source_and_for_a_kind_without_upstreams() -> None:
    upsert_entries(source_id=None, kind="routed", items=[item("a", to="crm"), item("b")])
    upsert_entries(source_id=None, kind="scripted", items=[item("c", to="crm")])
    assert upstreams() == {"a": "crm", "b": "", "c": ""}


def test_a_known_entry_of_another_kind_keeps_its_upstream() -> None:
    source = SourceFactory.create()
    EntryFactory.create(
        source=source, external_id="a", kind="page", payload={"url": "http://x.example/"}
    )
    upsert_entries(source_id=source.pk, kind="routed", items=[item("a", to="crm")])
    assert upstreams() == {"a": "x.example"}


def test_pushed_and_pushed_again() -> None:
    submit([item("a", to="crm"), item("b", to="erp")], kind="routed", actor=SCRIPT)
    assert upstreams() == {"a": "crm", "b": "erp"}
    submit([item("a", to="erp")], kind="routed", actor=SCRIPT)
    assert upstreams() == {"a": "erp", "b": "erp"}


def test_fetched_by_a_resync(tmp_path: Path) -> None:
    file = tmp_path / "shelf.json"
    file.write_text('{"a": {"to": "erp"}, "b": {"to": "crm"}}')
    source = SourceFactory.create(kind="shelf", location=str(file), entry_kind="routed")
    ids = [
        EntryFactory.create(
            failed=True, source=source, external_id=name, kind="routed", payload={"to": "crm"}
        ).pk
        for name in ("a", "b", "gone")
    ]
    resync_entries(ids, actor=SCRIPT)
    execution.execute(Run.objects.get().pk, worker="test")
    assert upstreams() == {"a": "erp", "b": "crm", "gone": "crm"}


def test_what_was_stored_before_its_kind_had_upstreams_is_derived_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = SourceFactory.create(slug="shop")
    EntryFactory.create(external_id="a", kind="routed", payload={"to": "crm"})
    EntryFactory.create(external_id="b", kind="routed", payload={}, source=source)
    EntryFactory.create(external_id="c", kind="scripted", payload={"to": "crm"})
    with connection.cursor() as cursor:
        cursor.execute("UPDATE entries_entry SET upstream = ''")
    call_command("derive_upstreams")
    assert capsys.readouterr().out == "Updated the upstream of 2 entries.\n"
    assert upstreams() == {"a": "crm", "b": "shop", "c": ""}
    assert AuditEvent.objects.get(verb="derive_upstreams").count == 2
    assert derive_upstreams() == 0
