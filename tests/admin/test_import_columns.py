"""What the columns of an import mean, and what a row does not say."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from entries.models import Entry
from tests.admin.browsing import Browser
from tests.admin.transfers import (
    confirm,
    counts,
    csv_file,
    json_file,
    known,
    preview,
    xlsx_file,
)
from tests.factories.entries import SourceFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def test_without_a_payload_the_other_columns_are_its_members(importer: Browser) -> None:
    source = SourceFactory.create(slug="orders", entry_kind="scripted")
    text = "\ufeffExternal_ID; Title ;total;note\n 7;Seven;12,5;\n"
    confirm(importer, preview(importer, csv_file(text), source="orders", kind=""))
    entry = Entry.objects.get()
    assert (entry.external_id, entry.title, entry.source, entry.kind) == (
        " 7",
        "Seven",
        source,
        "scripted",
    )
    assert entry.payload == {"total": "12,5", "note": ""}


def test_what_has_no_column_stays(importer: Browser) -> None:
    known("a", title="Kept", payload={"kept": True, "n": "4"}, failed=True)
    row = preview(importer, csv_file("external_id\na\n"))
    assert counts(row) == {"unchanged": 1}
    confirm(importer, preview(importer, csv_file("external_id,n\na,5\n")))
    entry = Entry.objects.get()
    assert (entry.title, entry.payload) == ("Kept", {"kept": True, "n": "5"})


@pytest.mark.parametrize(
    "file",
    [
        csv_file("external_id,title,n,m\na,,,\n"),
        csv_file("external_id,title,n,m\na\n"),
        csv_file("external_id,title,payload\na,,\n"),
        csv_file("external_id,title,payload\na,,  \n"),
        xlsx_file([["external_id", "title", "n", "m"], ["a", None, None, ""]]),
        json_file([{"external_id": "a", "title": None, "payload": None}]),
        json_file([{"external_id": "a"}, {"external_id": "b", "title": "x", "payload": {}}]),
    ],
    ids=["csv", "short", "payload", "blank", "xlsx", "null", "absent"],
)
def test_an_empty_cell_says_nothing_of_what_is_known(
    importer: Browser, file: SimpleUploadedFile
) -> None:
    file.seek(0)
    known("a", title="Kept", payload={"n": 1}, failed=True)
    row = preview(importer, file)
    assert counts(row)["unchanged"] == 1
    confirm(importer, row)
    entry = Entry.objects.get(external_id="a")
    assert (entry.title, entry.payload) == ("Kept", {"n": 1})


def test_json_says_what_is_empty(importer: Browser) -> None:
    known("a", title="Gone", payload={"n": 1, "m": 2}, failed=True)
    confirm(importer, preview(importer, json_file([{"external_id": "a", "title": "", "n": None}])))
    entry = Entry.objects.get()
    assert (entry.title, entry.payload) == ("", {"n": None, "m": 2})


def test_sparse_json(importer: Browser) -> None:
    known("k1", title="Known one", payload={"a": 1, "b": 2}, failed=True)
    known("k2", title="Known two", payload={"a": 1}, failed=True)
    rows: list[dict[str, Any]] = [
        {"external_id": "k1", "title": "New title"},
        {"external_id": "k2", "payload": {"a": 5}},
    ]
    row = preview(importer, json_file(rows))
    changes = [(c["name"], c["before"], c["after"]) for s in row.sample for c in s["changes"]]
    assert changes == [("title", "Known one", "New title"), ("a", "1", "5")]
    confirm(importer, row)
    found = Entry.objects.order_by("external_id").values_list("title", "payload")
    assert list(found) == [("New title", {"a": 1, "b": 2}), ("Known two", {"a": 5})]
    rows = [{"external_id": "s1", "a": 1}, {"external_id": "s2", "b": 2}]
    confirm(importer, preview(importer, json_file(rows)))
    made = Entry.objects.filter(external_id__in=["s1", "s2"]).order_by("external_id")
    assert [entry.payload for entry in made] == [{"a": 1}, {"b": 2}]


def test_what_is_merged_is_what_is_known_when_it_is_stored(importer: Browser) -> None:
    entry = known("a", title="Old", payload={"n": 1}, failed=True)
    row = preview(importer, csv_file("external_id,m\na,5\n"))
    Entry.objects.filter(pk=entry.pk).update(title="Newer", payload={"n": 2})
    confirm(importer, row)
    entry.refresh_from_db()
    assert (entry.title, entry.payload) == ("Newer", {"n": 2, "m": "5"})


def test_columns_beside_a_payload_are_named_and_not_looked_at(importer: Browser) -> None:
    row = preview(importer, csv_file('external_id,payload,status\na,"{}",failed\n'))
    assert row.notes == ["Columns ignored because the file has a column payload: status"]
    confirm(importer, row)
    entry = Entry.objects.get()
    assert (entry.payload, entry.status) == ({}, "queued")
    rows = [{"external_id": "b", "status": "failed"}, {"external_id": "c", "payload": {"n": 1}}]
    row = preview(importer, json_file(rows))
    assert row.notes == ["Columns ignored because the file has a column payload: status"]
    confirm(importer, row)
    assert Entry.objects.get(external_id="b").payload == {}


def test_a_spreadsheet_keeps_its_types(importer: Browser) -> None:
    rows: list[list[Any]] = [
        ["external_id", "title", "n", "f", "b", "when", "long", "nothing", None],
        [42, 2026.0, 7, 1.5, True, date(2026, 1, 31), timedelta(hours=36), None, None],
        [None, None, None, None, None, None, None, None, None],
        ["x", "'=1", "'=2", None, None, None, None, None, None],
        [1, timedelta(days=1, hours=12), None, None, None, None, None, None, None],
    ]
    confirm(importer, preview(importer, xlsx_file(rows)))
    entry = Entry.objects.get(external_id="42")
    assert entry.title == "2026"
    assert entry.payload == {
        "n": 7,
        "f": 1.5,
        "b": True,
        "when": "2026-01-31T00:00:00",
        "long": "P1DT12H00M00S",
        "nothing": None,
    }
    entry = Entry.objects.get(external_id="x")
    assert (entry.title, entry.payload["n"]) == ("=1", "=2")
    assert Entry.objects.get(external_id="1").title == "P1DT12H00M00S"


def test_json(importer: Browser) -> None:
    rows = [{"external_id": 1, "payload": {"a": [1]}}, {"External_ID": "b", "payload": {}}]
    confirm(importer, preview(importer, json_file(rows)))
    assert Entry.objects.get(external_id="1").payload == {"a": [1]}
    assert Entry.objects.get(external_id="b").payload == {}
