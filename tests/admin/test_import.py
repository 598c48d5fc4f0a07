"""Import: a dry run that stores nothing, and a confirmation that goes through the service."""

import json
from datetime import timedelta
from pathlib import Path

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
    confirm,
    counts,
    csv_file,
    everything_but_imports,
    exported,
    json_file,
    known,
    never,
    press_confirm,
    preview,
    shown,
    upload,
    waiting,
)
from tests.factories.entries import SourceFactory
from tests.support.asking import SCRIPT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


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
    assert "Changed; already queued" in said
    assert "Left alone: already running" in said
    assert "Left alone: discarded" in said
    assert "Left alone: other kind" in said
    assert waiting(folder) == 1


def test_the_web_process_does_not_read_the_file(importer: Browser, folder: Path) -> None:
    answer = upload(importer, csv_file(b"\xff\xfe\x00 whatever this is"))
    row = Import.objects.get()
    assert answer["Location"] == page_of(row)
    assert (row.file_name, row.file_format, row.total) == ("entries.csv", "csv", None)
    assert "Waiting for a worker." in text_of(importer.read(page_of(row)))
    event = AuditEvent.objects.get()
    assert (event.verb, event.actor_label) == ("request_import", "operator")
    assert event.after == {"import_id": str(row.pk), "file": "entries.csv", "bytes": 20}


def test_the_confirmation_stores_it_through_the_service(importer: Browser, folder: Path) -> None:
    make_mixed()
    row = confirm(importer, preview(importer, csv_file(MIXED), reason="from the old system"))
    said = text_of(importer.read(page_of(row)))
    assert "1 created, 2 changed, 2 unchanged. 3 queued." in said
    assert "3 left alone: 1 already running, 1 discarded, 1 other kind." in said
    assert Entry.objects.get(external_id="new").payload == {"n": 2}
    assert Entry.objects.get(external_id="new").title == "New one"
    assert Entry.objects.get(external_id="changed").payload == {"n": 2, "m": 3}
    assert Entry.objects.get(external_id="queued").payload == {"n": 2}
    assert Entry.objects.get(external_id="running").payload == {"n": 1}
    verbs = AuditEvent.objects.order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["request_import", "confirm_import", "submit", "import"]
    for event in AuditEvent.objects.all():
        assert (event.actor_label, event.channel, event.reason) == (
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
    assert "Import anyway" in importer.read(page_of(again))
    before = everything_but_imports()
    row = confirm(importer, again)
    assert "2,500 unchanged. Nothing was queued." in text_of(importer.read(page_of(row)))
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
    assert "This dry run was confirmed. The import has succeeded." in said
    assert "Import and queue" not in said


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
    assert "Nothing was stored. Nothing was queued." in said
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
    assert "The file was removed" in said
    assert "Import and queue" not in said
    confirm(importer, fresh)
    assert waiting(folder) == 0


def test_the_payload_is_as_it_was_written(importer: Browser) -> None:
    payload = {"a": 1.0, "b": [True, None, "é"], "big": 2**70}
    file = csv_file("external_id,payload\n1," + '"' + json.dumps(payload).replace('"', '""') + '"')
    confirm(importer, preview(importer, file))
    assert Entry.objects.get().payload == payload
