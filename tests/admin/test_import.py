"""Import: a dry run that stores nothing, and a confirmation that goes through the service."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import TestCase
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from entries.models import Entry
from retry.imports import control
from retry.imports.work import perform
from retry.models import AuditEvent, Import, Run
from tests.admin.browsing import Browser, page_of, text_of
from tests.admin.test_export import HOSTILE
from tests.admin.transfers import (
    IMPORT,
    confirm,
    counts,
    csv_file,
    everything_but_imports,
    exported,
    json_file,
    never,
    press_confirm,
    preview,
    shown,
    upload,
    waiting,
    xlsx_file,
)
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def known(external_id: str, *, title: str = "", payload: Any = None, **fields: Any) -> Entry:
    payload = {"n": 1} if payload is None else payload
    values = {"kind": "scripted", "external_id": external_id, "title": title, "payload": payload}
    return EntryFactory.create(**values | fields)


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


def test_the_dry_run_shows_what_would_change_and_changes_nothing(
    importer: Browser, folder: Path
) -> None:
    make_mixed()
    before = everything_but_imports()
    row = preview(importer, csv_file(MIXED))
    assert everything_but_imports() == before
    assert counts(row) == {"new": 1, "changed": 2, "unchanged": 2, "alone": 3}
    assert (row.queued, row.total, row.position) == (3, 8, 8)
    said = text_of(importer.read(page_of(row)))
    assert "Nothing has been stored yet" in said
    assert "Import and queue 3 entries" in said
    rows = shown(row)
    assert rows.keys() == {"new", "changed", "running", "discarded", "other", "queued"}
    assert rows["new"]["line"] == 2
    assert "2 New; would be queued new New one" in said
    changes = [(c["name"], c["before"], c["after"]) for c in rows["changed"]["changes"]]
    assert changes == [("title", "", "Changed"), ("m", "", "3"), ("n", "1", "2")]
    assert "Changed; is queued already" in said
    assert "Left alone: already running" in said
    assert "Left alone: discarded" in said
    assert "Left alone: other kind" in said
    assert waiting(folder) == 1


def test_the_web_process_does_not_read_the_file(importer: Browser, folder: Path) -> None:
    answer = upload(importer, csv_file(b"\xff\xfe\x00 whatever this is"))
    row = Import.objects.get()
    assert answer["Location"] == page_of(row)
    assert (row.file_name, row.file_format, row.total) == ("entries.csv", "csv", None)
    assert "Waits for a worker." in text_of(importer.read(page_of(row)))
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_label) == ("request_import", "operator")
    assert event.after == {"import_id": str(row.pk), "file": "entries.csv", "bytes": 20}


def test_the_confirmation_stores_it_through_the_service(importer: Browser, folder: Path) -> None:
    make_mixed()
    row = confirm(importer, preview(importer, csv_file(MIXED), reason="from the old system"))
    said = text_of(importer.read(page_of(row)))
    assert "1 created, 2 changed, 2 unchanged; 3 queued." in said
    assert "3 left alone: 1 already running, 1 discarded, 1 other kind." in said
    assert Entry.objects.get(external_id="new").payload == {"n": 2}
    assert Entry.objects.get(external_id="new").title == "New one"
    assert Entry.objects.get(external_id="changed").payload == {"n": 2, "m": 3}
    assert Entry.objects.get(external_id="queued").payload == {"n": 2}
    assert Entry.objects.get(external_id="running").payload == {"n": 1}
    verbs = AuditEvent.objects.order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["request_import", "confirm_import", "submit", "import"]
    for event in AuditEvent.objects.all():
        assert (event.actor_label, event.doorway, event.reason) == (
            "operator",
            "admin",
            "from the old system",
        )
    queued = {i for run in Run.objects.all() for i in run.entry_ids}
    names = Entry.objects.filter(pk__in=queued).values_list("external_id", flat=True)
    assert set(names) == {"new", "changed", "pending"}
    assert waiting(folder) == 0


def test_the_same_file_again_is_all_unchanged(importer: Browser) -> None:
    text = "external_id,payload\n" + "".join(f'{n},"{{""n"": {n}}}"\n' for n in range(2500))
    row = confirm(importer, preview(importer, csv_file(text)))
    assert (counts(row), row.queued) == ({"new": 2500}, 2500)
    assert AuditEvent.objects.filter(verb="submit").count() == 3, "a thousand at a time"
    again = preview(importer, csv_file(text))
    assert (counts(again), again.queued) == ({"unchanged": 2500}, 0)
    assert "Import all the same" in importer.read(page_of(again))
    before = everything_but_imports()
    row = confirm(importer, again)
    assert "2,500 unchanged; nothing was queued." in text_of(importer.read(page_of(row)))
    assert everything_but_imports() == before


def test_more_rows_cost_queries_for_each_thousand(importer: Browser) -> None:
    def queries(size: int) -> int:
        text = "external_id\n" + "".join(f"{n}\n" for n in range(size))
        upload(importer, csv_file(text))
        row = Import.objects.first()
        assert row is not None
        with CaptureQueriesContext(connection) as caught:
            perform(row.pk, stop=never)
        return len(caught)

    queries(1)  # what is kept in caches is kept now
    few, more, most = queries(10), queries(900), queries(1900)
    assert few == more
    assert 1 <= most - more <= 3


def test_a_second_confirmation_leads_to_the_first(importer: Browser) -> None:
    row = preview(importer, csv_file("external_id\na\n"))
    done = confirm(importer, row)
    before = everything_but_imports()
    assert press_confirm(importer, row)["Location"] == page_of(done)
    assert everything_but_imports() == before
    assert Import.objects.count() == 2
    said = text_of(importer.read(page_of(row)))
    assert "This was confirmed: the import is succeeded." in said
    assert "Import and queue" not in said


class TestColumns:
    def test_without_a_payload_the_other_columns_are_its_members(self, importer: Browser) -> None:
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

    def test_what_has_no_column_stays(self, importer: Browser) -> None:
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
        self, importer: Browser, file: SimpleUploadedFile
    ) -> None:
        file.seek(0)
        known("a", title="Kept", payload={"n": 1}, failed=True)
        row = preview(importer, file)
        assert counts(row)["unchanged"] == 1
        confirm(importer, row)
        entry = Entry.objects.get(external_id="a")
        assert (entry.title, entry.payload) == ("Kept", {"n": 1})

    def test_json_says_what_is_empty(self, importer: Browser) -> None:
        known("a", title="Gone", payload={"n": 1, "m": 2}, failed=True)
        confirm(
            importer, preview(importer, json_file([{"external_id": "a", "title": "", "n": None}]))
        )
        entry = Entry.objects.get()
        assert (entry.title, entry.payload) == ("", {"n": None, "m": 2})

    def test_sparse_json(self, importer: Browser) -> None:
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

    def test_what_is_merged_is_what_is_known_when_it_is_stored(self, importer: Browser) -> None:
        entry = known("a", title="Old", payload={"n": 1}, failed=True)
        row = preview(importer, csv_file("external_id,m\na,5\n"))
        Entry.objects.filter(pk=entry.pk).update(title="Newer", payload={"n": 2})
        confirm(importer, row)
        entry.refresh_from_db()
        assert (entry.title, entry.payload) == ("Newer", {"n": 2, "m": "5"})

    def test_columns_beside_a_payload_are_named_and_not_looked_at(self, importer: Browser) -> None:
        row = preview(importer, csv_file('external_id,payload,status\na,"{}",failed\n'))
        assert row.notes == ["Not looked at, because there is a column payload: status"]
        confirm(importer, row)
        entry = Entry.objects.get()
        assert (entry.payload, entry.status) == ({}, "queued")
        rows = [{"external_id": "b", "status": "failed"}, {"external_id": "c", "payload": {"n": 1}}]
        row = preview(importer, json_file(rows))
        assert row.notes == ["Not looked at, because there is a column payload: status"]
        confirm(importer, row)
        assert Entry.objects.get(external_id="b").payload == {}

    def test_a_spreadsheet_keeps_its_types(self, importer: Browser) -> None:
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

    def test_json(self, importer: Browser) -> None:
        rows = [{"external_id": 1, "payload": {"a": [1]}}, {"External_ID": "b", "payload": {}}]
        confirm(importer, preview(importer, json_file(rows)))
        assert Entry.objects.get(external_id="1").payload == {"a": [1]}
        assert Entry.objects.get(external_id="b").payload == {}


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "json"])
def test_what_was_exported_comes_back_unchanged(importer: Browser, file_format: str) -> None:
    for number, text in enumerate([*HOSTILE, "plain", "quote ' =", 'ü, "x"; y']):
        if text.strip() == text.strip("\r\n"):
            known(f"{text}{number}".replace("\r", ""), title=text.replace("\r", ""), failed=True)
    edited = known("edited", title="a", failed=True)
    edited.title = "b"
    edited.save()
    data = exported(importer, file_format)
    row = preview(importer, SimpleUploadedFile(f"entries.{file_format}", data))
    assert counts(row) == {"unchanged": Entry.objects.count()}, row.sample


def test_a_kind_or_a_source_must_be_chosen(importer: Browser) -> None:
    SourceFactory.create(slug="odd", entry_kind="nothing-like-it")
    for fields in ({"kind": ""}, {"kind": "", "source": "odd"}):
        answer = upload(importer, csv_file("external_id\n1\n"), **fields)
        assert "Choose a kind" in answer.context["form"].errors["kind"][0]
    for fields in ({"kind": "nothing"}, {"source": "nowhere"}):
        answer = upload(importer, csv_file("external_id\n1\n"), **fields)
        assert answer.context["form"].errors.keys() == fields.keys()
    assert not Import.objects.exists()


def test_markup_in_a_file_is_text(importer: Browser) -> None:
    xss = "<script>alert(1)</script>"
    known(xss, title=xss, payload={xss: xss}, failed=True)
    rows = [{"external_id": xss, "title": f"{xss}2", "payload": {xss: [xss], f"{xss}3": 1}}]
    page = importer.read(page_of(preview(importer, json_file(rows))))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_what_changed_since_the_dry_run_is_the_services_to_say(importer: Browser) -> None:
    row = preview(importer, csv_file('external_id,payload\na,"{""n"": 2}"\n'))
    known("a", running=True)
    done = confirm(importer, row)
    said = text_of(importer.read(page_of(done)))
    assert "Nothing was stored; nothing was queued." in said
    assert "1 left alone: 1 already running." in said
    assert "2 Left alone: already running a" in said


def test_files_that_were_never_confirmed_are_forgotten(importer: Browser, folder: Path) -> None:
    old = preview(importer, csv_file("external_id\n1\n"))
    fresh = preview(importer, csv_file("external_id\n2\n"))
    Import.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(hours=25))
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert control.forget_old_files(actor=SCRIPT) == 1
    assert waiting(folder) == 1
    press_confirm(importer, old)
    assert not Import.objects.filter(confirms=old).exists()
    said = text_of(importer.read(page_of(old)))
    assert "The file is not kept any more" in said
    assert "Import and queue" not in said
    confirm(importer, fresh)
    assert waiting(folder) == 0


class TestWhoMay:
    def test_whoever_may_not_submit_may_not_import(
        self, operator: "User", reader: "User", chief: "User"
    ) -> None:
        row = preview(Browser(chief), csv_file("external_id\n1\n"))
        for user in (operator, reader):
            browser = Browser(user)
            assert "Import" not in text_of(browser.read("/admin/entries/entry/"))
            assert browser.get(IMPORT).status_code == 403
            assert upload(browser, csv_file("external_id\n1\n")).status_code == 403
            assert browser.get("/admin/retry/import/").status_code == 403
            assert browser.get(page_of(row)).status_code == 403
            assert press_confirm(browser, row).status_code == 403
        assert Import.objects.count() == 1
        assert not Entry.objects.exists()

    def test_nobody_confirms_what_somebody_else_uploaded(
        self, importer: Browser, chief: "User"
    ) -> None:
        row = preview(importer, csv_file("external_id\n1\n"))
        other = Browser(chief)
        page = other.read(page_of(row))
        assert "Import and queue" not in page
        assert press_confirm(other, row).status_code == 404
        assert not Import.objects.filter(confirms=row).exists()

    def test_only_who_may_see_syncs_or_the_audit_sees_those_of_others(
        self, importer: Browser, reader: "User"
    ) -> None:
        row = preview(importer, csv_file("external_id,title\n1,Secret\n"))
        live = f"/admin/retry/import/{row.pk}/live/"
        browser = Browser(grant(reader, "entries.submit_entry"))
        assert "entries.csv" not in browser.read("/admin/retry/import/")
        assert browser.get(page_of(row)).status_code == 302, "home, as for what is not there"
        assert browser.get(live).status_code == 404
        own = preview(browser, csv_file("external_id,title\n2,Own\n"))
        assert "Own" in browser.read(page_of(own))
        for permission in ("retry.view_sync", "retry.view_auditevent"):
            reader.user_permissions.clear()
            user = grant(reader, "entries.view_entry", "entries.submit_entry", permission)
            assert "Secret" in Browser(user).read(page_of(row))
            assert "entries.csv" in Browser(user).read("/admin/retry/import/")

    def test_a_permission_that_is_gone_stops_the_worker(
        self, importer: Browser, operator: "User"
    ) -> None:
        row = preview(importer, csv_file("external_id\n1\n"))
        press_confirm(importer, row)
        operator.user_permissions.clear()
        done = Import.objects.get(confirms=row)
        perform(done.pk, stop=never)
        done.refresh_from_db()
        assert (done.state, done.error_code) == ("failed", "permission_denied")
        assert not Entry.objects.exists()

    def test_nor_does_one_whose_user_is_gone_act_as_the_system(
        self, importer: Browser, operator: "User"
    ) -> None:
        row = preview(importer, csv_file("external_id\n1\n"))
        press_confirm(importer, row)
        operator.delete()
        done = Import.objects.get(confirms=row)
        perform(done.pk, stop=never)
        done.refresh_from_db()
        assert (done.state, done.error_code) == ("failed", "permission_denied")


def test_the_payload_is_as_it_was_written(importer: Browser) -> None:
    payload = {"a": 1.0, "b": [True, None, "é"], "big": 2**70}
    file = csv_file("external_id,payload\n1," + '"' + json.dumps(payload).replace('"', '""') + '"')
    confirm(importer, preview(importer, file))
    assert Entry.objects.get().payload == payload
