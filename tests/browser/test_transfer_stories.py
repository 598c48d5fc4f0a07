"""Export and import in a real browser, under the content policy."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db.models.functions import Now
from playwright.sync_api import Page, expect

from entries.models import Entry
from retry.imports.work import perform
from retry.models import AuditEvent, Import
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.browser import Visitor
from tests.support.processes import listening_worker
from tests.support.servers import Spawned

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("uploads"),
]

Visit = Callable[..., Visitor]
XSS = "<script>window.pwned = true</script>"


@pytest.fixture
def clerk(operator: "User") -> "User":
    return grant(operator, "entries.submit_entry", "entries.export_entry")


def file(path: Path, *rows: list[str]) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([["external_id", "title", "payload"], *rows])
    return path


@pytest.fixture
def worker(uploads: Path) -> Iterator[Spawned]:
    """One that compares and imports; the entries' own work waits for the test."""
    with listening_worker("sync", REDRIVE_UPLOAD_DIR=str(uploads)) as process:
        yield process


def choose(page: Page, path: Path) -> None:
    page.get_by_label("File").set_input_files(path)
    page.get_by_label("Kind").select_option("scripted")
    page.get_by_role("button", name="Show what would change").click()


@pytest.mark.usefixtures("worker")
def test_a_file_is_compared_corrected_imported_and_worked_off(
    visit: Visit, clerk: "User", tmp_path: Path
) -> None:
    EntryFactory.create(failed=True, kind="scripted", external_id="known", title="Known")
    page = visit(clerk).page
    page.goto("/admin/entries/entry/")
    page.get_by_role("link", name="Import").click()
    bad = file(tmp_path / "bad.csv", ["known", "Known", "oops"], ["new", XSS, "{}"])
    choose(page, bad)
    expect(page.get_by_text("1 row cannot be stored")).to_be_visible()
    expect(page.locator(".rows")).to_contain_text("payload is not JSON")
    expect(page.get_by_role("button", name="Import 1 valid row")).to_be_visible()
    page.get_by_role("link", name="Choose another file").click()
    rows = [[f"new-{n}", "", "{}"] for n in range(2_500)]
    good = file(tmp_path / "good.csv", ["known", "Known", '{"n": 2}'], ["new", XSS, "{}"], *rows)
    page.get_by_label("Reason").fill("from the old system")
    choose(page, good)
    expect(page.get_by_text("Nothing has been stored yet")).to_be_visible()
    expect(page.locator(".rows ins").first).to_have_text("2")
    expect(page.locator(".rows")).to_contain_text(XSS)
    assert Entry.objects.count() == 1
    page.get_by_role("button", name="Import and queue 2,502 entries").click()
    expect(page.get_by_text("2,501 created, 1 changed. 2,502 queued.")).to_be_visible(
        timeout=60_000
    )
    expect(page.locator("#announcement")).to_have_text("The import has succeeded.")
    assert Entry.objects.filter(status="queued").count() == 2_502
    assert page.evaluate("window.pwned") is None
    reasons = AuditEvent.objects.filter(verb="submit").values_list("reason", flat=True)
    assert set(reasons) == {"from the old system"}
    page.get_by_role("link", name="All imports").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    expect(page.locator("#result_list")).to_contain_text("Import of good.csv")


def test_the_page_shows_how_it_goes_on_while_a_worker_is_at_it(
    visit: Visit, clerk: "User", tmp_path: Path
) -> None:
    page = visit(clerk).page
    page.goto("/admin/entries/entry/import/")
    choose(page, file(tmp_path / "a.csv", ["a", "", "{}"]))
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    row = Import.objects.get()
    Import.objects.update(state="running", total=2_000, position=1_000, created=1_000)
    expect(page.get_by_text("The file is being compared. Nothing is stored.")).to_be_visible()
    expect(page.locator(".figure-created b")).to_have_text("1,000")
    Import.objects.update(position=1_500, created=1_500)
    expect(page.locator(".figure-created b")).to_have_text("1,500")
    Import.objects.filter(pk=row.pk).update(
        state="failed", error_code="malformed", error="line 7 is odd", ended_at=Now()
    )
    expect(page.get_by_text("line 7 is odd")).to_be_visible()
    expect(page.get_by_text("Correct the file and choose it again.")).to_be_visible()
    expect(page.locator("#announcement")).to_have_text("The dry run has failed.")


@pytest.mark.usefixtures("worker")
def test_a_second_click_imports_nothing_twice(visit: Visit, clerk: "User", tmp_path: Path) -> None:
    page = visit(clerk).page
    page.goto("/admin/entries/entry/import/")
    choose(page, file(tmp_path / "a.csv", ["a", "", "{}"]))
    page.get_by_role("button", name="Import and queue 1 entry").dblclick()
    expect(page.get_by_text("1 created. 1 queued.")).to_be_visible()
    assert AuditEvent.objects.filter(verb="submit").count() == 1
    assert Import.objects.count() == 2


def test_what_is_filtered_is_exported(visit: Visit, clerk: "User") -> None:
    EntryFactory.create_batch(3, failed=True, title="=1+1")
    EntryFactory.create(succeeded=True)
    page = visit(clerk).page
    page.goto("/admin/entries/entry/?status=failed")
    page.get_by_role("link", name="Export what is shown").click()
    expect(page.get_by_text("3 entries")).to_be_visible()
    with page.expect_download() as caught:
        page.get_by_role("button", name="CSV").click()
    assert caught.value.suggested_filename.endswith(".csv")
    text = Path(caught.value.path()).read_text(encoding="utf-8-sig")
    assert [row["title"] for row in csv.DictReader(io.StringIO(text))] == ["'=1+1"] * 3
    with page.expect_download() as caught:
        page.get_by_role("button", name="XLSX").click()
    assert Path(caught.value.path()).read_bytes().startswith(b"PK")
    page.get_by_role("link", name="Back to the entries").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    assert AuditEvent.objects.filter(verb="export", count=3).count() == 2


def test_import_and_export_work_without_scripts(
    visit: Visit, clerk: "User", tmp_path: Path
) -> None:
    page = visit(clerk, java_script_enabled=False).page
    page.goto("/admin/entries/entry/import/")
    choose(page, file(tmp_path / "a.csv", ["a", "", "{}"]))
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()
    perform(Import.objects.get().pk, stop=lambda: False)
    page.get_by_role("link", name="Reload").click()
    page.get_by_role("button", name="Import and queue 1 entry").click()
    perform(Import.objects.get(dry_run=False).pk, stop=lambda: False)
    page.get_by_role("link", name="Reload").click()
    expect(page.get_by_text("1 created. 1 queued.")).to_be_visible()
    page.get_by_role("link", name="View entries", exact=True).click()
    page.get_by_role("link", name="Export all").click()
    with page.expect_download() as caught:
        page.get_by_role("button", name="JSON").click()
    assert b'"external_id": "a"' in Path(caught.value.path()).read_bytes()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(
    scheme: str, visit: Visit, clerk: "User", tmp_path: Path
) -> None:
    long = "A title that is long enough to wrap in every list there is " * 3
    EntryFactory.create(failed=True, kind="scripted", external_id="x" * 300, title=long)
    rows = [["x" * 300, long + "2", '{"url": "' + "y" * 200 + '"}'], ["new", "", "oops"]]
    phone = {"width": 390, "height": 800}
    page = visit(clerk, viewport=phone, color_scheme=scheme).page
    page.goto("/admin/entries/entry/export/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "export"
    page.goto("/admin/entries/entry/import/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "import"
    choose(page, file(tmp_path / f"{'n' * 150}.csv", *rows))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "waiting"
    perform(Import.objects.get().pk, stop=lambda: False)
    expect(page.locator(".rows")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "preview"
    page.goto("/admin/retry/import/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "list"
