"""Import: a preview that changes nothing, and a confirmation that goes through the service."""

import json
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from entries.content import content_hash
from entries.models import Entry
from retry.models import AuditEvent, Run
from tests.admin.browsing import Browser, text_of
from tests.admin.test_export import HOSTILE
from tests.admin.test_walk import everything
from tests.admin.transfers import (
    CONFIRM,
    IMPORT,
    confirm,
    csv_file,
    exported,
    json_file,
    preview,
    waiting,
    xlsx_file,
)
from tests.factories.entries import EntryFactory, SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def known(external_id: str, *, title: str = "", payload: Any = None, **fields: Any) -> Entry:
    payload = {"n": 1} if payload is None else payload
    values = {"kind": "scripted", "external_id": external_id, "title": title, "payload": payload}
    return EntryFactory.create(**values | fields, content_hash=content_hash(title, payload))


MIXED = """external_id,title,payload
new,New one,"{""n"": 2}"
changed,Changed,"{""n"": 2, ""m"": 3}"
same,,"{""n"": 1}"
running,,"{""n"": 9}"
discarded,,"{""n"": 9}"
other,,"{""n"": 9}"
pending,,"{""n"": 1}"
queued,,"{""n"": 2}"
"""


def make_mixed() -> None:
    known("changed", failed=True)
    known("same", succeeded=True)
    known("running", running=True)
    known("discarded", discarded=True)
    known("other", failed=True, kind="page")
    known("pending")
    known("queued", queued=True)


def test_the_preview_shows_what_would_change_and_changes_nothing(
    importer: Browser, folder: Path
) -> None:
    make_mixed()
    before = everything()
    answer = preview(importer, csv_file(MIXED))
    assert everything() == before
    said = text_of(answer.content.decode())
    assert "Nothing has been stored yet" in said
    found = answer.context["result"].resource
    assert dict(found.counts) == {"new": 1, "changed": 2, "unchanged": 2, "alone": 3}
    assert found.will_queue == 3
    assert "Import and queue 3 entries" in said
    rows = {row.external_id: row for row in found.rows()}
    assert rows.keys() == {"new", "changed", "running", "discarded", "other", "queued"}
    assert (rows["new"].line, rows["new"].words) == (2, "New; would be queued")
    changes = [(c.name, c.before, c.after) for c in rows["changed"].changes]
    assert changes == [("title", "", "Changed"), ("m", "", "3"), ("n", "1", "2")]
    assert rows["queued"].words == "Changed; is queued already"
    assert rows["running"].words == "Left alone: already running"
    assert rows["discarded"].words == "Left alone: discarded"
    assert rows["other"].words == "Left alone: other kind"
    assert waiting(folder) == 1


def test_the_confirmation_stores_it_through_the_service(importer: Browser, folder: Path) -> None:
    make_mixed()
    answer = preview(importer, csv_file(MIXED), reason="from the old system")
    said = confirm(importer, answer)
    assert said[0] == "1 created, 2 changed, 2 unchanged; 3 queued."
    assert said[1] == "3 left alone: 1 already running, 1 discarded, 1 other kind."
    assert Entry.objects.get(external_id="new").payload == {"n": 2}
    assert Entry.objects.get(external_id="new").title == "New one"
    assert Entry.objects.get(external_id="changed").payload == {"n": 2, "m": 3}
    assert Entry.objects.get(external_id="queued").payload == {"n": 2}
    assert Entry.objects.get(external_id="running").payload == {"n": 1}
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_label, event.doorway, event.reason, event.count) == (
        "submit",
        "operator",
        "admin",
        "from the old system",
        8,
    )
    queued = {i for run in Run.objects.all() for i in run.entry_ids}
    names = Entry.objects.filter(pk__in=queued).values_list("external_id", flat=True)
    assert set(names) == {"new", "changed", "pending"}
    assert waiting(folder) == 0


def test_the_same_file_again_is_all_unchanged(importer: Browser) -> None:
    text = "external_id,payload\n" + "".join(f'{n},"{{""n"": {n}}}"\n' for n in range(2500))
    said = confirm(importer, preview(importer, csv_file(text)))
    assert said[0] == "2,500 created; 2,500 queued."
    assert AuditEvent.objects.filter(verb="submit").count() == 3, "a thousand at a time"
    again = preview(importer, csv_file(text))
    assert dict(again.context["result"].resource.counts) == {"unchanged": 2500}
    before = everything()
    assert confirm(importer, again) == ["2,500 unchanged; nothing was queued."]
    assert everything() == before


def test_more_rows_cost_a_query_for_each_thousand(importer: Browser) -> None:
    preview(importer, csv_file("external_id\n1\n"))  # what is kept in caches is kept now
    counts = []
    for size in (10, 900, 1900):
        text = "external_id\n" + "".join(f"{n}\n" for n in range(size))
        with CaptureQueriesContext(connection) as queries:
            preview(importer, csv_file(text))
        counts.append(len(queries))
    assert counts[0] == counts[1] == counts[2] - 1


def test_a_second_confirmation_finds_nothing_to_import(importer: Browser) -> None:
    answer = preview(importer, csv_file("external_id\na\n"))
    confirm(importer, answer)
    before = everything()
    (said,) = confirm(importer, answer)
    assert "it was imported" in said
    assert everything() == before


class TestColumns:
    def test_without_a_payload_the_other_columns_are_it(self, importer: Browser) -> None:
        source = SourceFactory.create(slug="orders", entry_kind="scripted")
        text = "\ufeffExternal_ID; Title ;total;note\n 7;Seven;12,5;\n"
        answer = preview(importer, csv_file(text), source="orders", kind="")
        confirm(importer, answer)
        entry = Entry.objects.get()
        assert (entry.external_id, entry.title, entry.source, entry.kind) == (
            " 7",
            "Seven",
            source,
            "scripted",
        )
        assert entry.payload == {"total": "12,5", "note": ""}

    def test_what_has_no_column_stays(self, importer: Browser) -> None:
        known("a", title="Kept", payload={"kept": True}, failed=True)
        answer = preview(importer, csv_file("external_id\na\n"))
        assert dict(answer.context["result"].resource.counts) == {"unchanged": 1}
        answer = preview(importer, csv_file("external_id,n\na,5\n"))
        confirm(importer, answer)
        entry = Entry.objects.get()
        assert (entry.title, entry.payload) == ("Kept", {"n": "5"})

    def test_columns_beside_a_payload_are_named_and_not_looked_at(self, importer: Browser) -> None:
        answer = preview(importer, csv_file('external_id,payload,status\na,"{}",failed\n'))
        assert answer.context["result"].resource.ignored == ["status"]
        confirm(importer, answer)
        entry = Entry.objects.get()
        assert (entry.payload, entry.status) == ({}, "queued")

    def test_a_spreadsheet_keeps_its_types(self, importer: Browser) -> None:
        rows: list[list[Any]] = [
            ["external_id", "title", "n", "f", "b", "when", "nothing", None],
            [42, 2026.0, 7, 1.5, True, date(2026, 1, 31), None, None],
            [None, None, None, None, None, None, None, None],
            ["x", "'=1", "'=2", None, None, None, None, None],
        ]
        confirm(importer, preview(importer, xlsx_file(rows)))
        entry = Entry.objects.get(external_id="42")
        assert entry.title == "2026"
        assert entry.payload == {
            "n": 7,
            "f": 1.5,
            "b": True,
            "when": "2026-01-31T00:00:00",
            "nothing": None,
        }
        entry = Entry.objects.get(external_id="x")
        assert (entry.title, entry.payload["n"]) == ("=1", "=2")

    def test_json(self, importer: Browser) -> None:
        rows = [{"external_id": 1, "payload": {"a": [1]}}, {"external_id": "b", "payload": {}}]
        confirm(importer, preview(importer, json_file(rows)))
        assert Entry.objects.get(external_id="1").payload == {"a": [1]}


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "json"])
def test_what_was_exported_comes_back_unchanged(importer: Browser, file_format: str) -> None:
    for number, text in enumerate([*HOSTILE, "plain", "quote ' =", 'ü, "x"; y']):
        if text.strip() == text.strip("\r\n"):
            known(f"{text}{number}".replace("\r", ""), title=text.replace("\r", ""), failed=True)
    data = exported(importer, file_format)
    file = SimpleUploadedFile(f"entries.{file_format}", data)
    answer = preview(importer, file)
    found = answer.context["result"].resource
    assert dict(found.counts) == {"unchanged": Entry.objects.count()}, list(found.rows())


def test_a_kind_or_a_source_must_be_chosen(importer: Browser) -> None:
    SourceFactory.create(slug="odd", entry_kind="nothing-like-it")
    for fields in ({"kind": ""}, {"kind": "", "source": "odd"}):
        answer = preview(importer, csv_file("external_id\n1\n"), **fields)
        assert "Choose a kind" in answer.context["form"].errors["kind"][0]
    for fields in ({"kind": "nothing"}, {"source": "nowhere"}):
        answer = preview(importer, csv_file("external_id\n1\n"), **fields)
        assert answer.context["form"].errors.keys() == fields.keys()


def test_markup_in_a_file_is_text(importer: Browser) -> None:
    xss = "<script>alert(1)</script>"
    known(xss, title=xss, payload={xss: xss}, failed=True)
    rows = [{"external_id": xss, "title": f"{xss}2", "payload": {xss: [xss], f"{xss}3": 1}}]
    page = preview(importer, json_file(rows)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_what_changed_since_the_preview_is_the_services_to_say(importer: Browser) -> None:
    answer = preview(importer, csv_file('external_id,payload\na,"{""n"": 2}"\n'))
    known("a", running=True)
    said = confirm(importer, answer)
    assert said == [
        "Nothing was stored; nothing was queued.",
        "1 left alone: 1 already running.",
    ]


def test_previews_that_were_never_confirmed_are_forgotten(importer: Browser, folder: Path) -> None:
    preview(importer, csv_file("external_id\n1\n"))
    old = next(folder.iterdir())
    os.utime(old, (0, 0))
    preview(importer, csv_file("external_id\n2\n"))
    assert not old.exists()
    assert waiting(folder) == 1


def test_whoever_may_not_submit_may_not_import(operator: "User", reader: "User") -> None:
    for user in (operator, reader):
        browser = Browser(user)
        assert "Import" not in text_of(browser.read("/admin/entries/entry/"))
        assert browser.get(IMPORT).status_code == 403
        file = csv_file("external_id\n1\n")
        assert browser.post(IMPORT, {"import_file": file}).status_code == 403
        assert browser.post(CONFIRM, {}).status_code == 403
    assert not Entry.objects.exists()


def test_the_payload_is_as_it_was_written(importer: Browser) -> None:
    payload = {"a": 1.0, "b": [True, None, "é"], "big": 2**70}
    file = csv_file("external_id,payload\n1," + '"' + json.dumps(payload).replace('"', '""') + '"')
    confirm(importer, preview(importer, file))
    assert Entry.objects.get().payload == payload
