"""Export and import in a real browser, under the content policy."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from entries.models import Entry
from retry.models import AuditEvent
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.browser import Visitor
from tests.support.processes import manage

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
    pytest.mark.django_db(transaction=True),
]

Visit = Callable[..., Visitor]
XSS = "<script>window.pwned = true</script>"


@pytest.fixture(autouse=True)
def _folder(settings: Any, tmp_path: Path) -> None:
    backend = "django.core.files.storage.FileSystemStorage"
    own = {"BACKEND": backend, "OPTIONS": {"location": tmp_path / "imports"}}
    settings.STORAGES = {**settings.STORAGES, "import_export": own}


@pytest.fixture
def clerk(operator: "User") -> "User":
    return grant(operator, "entries.submit_entry", "entries.export_entry")


def file(path: Path, *rows: list[str]) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([["external_id", "title", "payload"], *rows])
    return path


def test_a_file_is_looked_at_corrected_imported_and_worked_off(
    visit: Visit, clerk: "User", tmp_path: Path
) -> None:
    EntryFactory.create(failed=True, kind="scripted", external_id="known", title="Known")
    page = visit(clerk).page
    page.goto("/admin/entries/entry/")
    page.get_by_role("link", name="Import").click()
    bad = file(tmp_path / "bad.csv", ["known", "Known", "oops"], ["new", XSS, "{}"])
    page.get_by_label("File").set_input_files(bad)
    page.get_by_label("Kind").select_option("scripted")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_text("1 row cannot be stored")).to_be_visible()
    expect(page.locator(".rows")).to_contain_text("payload is not JSON")
    expect(page.get_by_role("button", name="Import")).to_have_count(0)
    good = file(tmp_path / "good.csv", ["known", "Known", '{"n": 2}'], ["new", XSS, "{}"])
    page.get_by_label("File").set_input_files(good)
    page.get_by_label("Reason").fill("from the old system")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.get_by_text("Nothing has been stored yet")).to_be_visible()
    expect(page.locator(".rows tbody tr")).to_have_count(2)
    expect(page.locator(".rows ins").first).to_have_text("2")
    expect(page.locator(".rows")).to_contain_text(XSS)
    assert Entry.objects.count() == 1
    page.get_by_role("button", name="Import and queue 2 entries").click()
    expect(page.get_by_text("1 created, 1 changed; 2 queued.")).to_be_visible()
    with manage("worker", "default", "--burst") as worker:
        assert worker.wait(60) == 0, worker.output
    page.goto("/admin/entries/entry/?status=succeeded")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    assert page.evaluate("window.pwned") is None
    assert AuditEvent.objects.get(verb="submit").reason == "from the old system"


def test_a_second_click_imports_nothing_twice(visit: Visit, clerk: "User", tmp_path: Path) -> None:
    page = visit(clerk).page
    page.goto("/admin/entries/entry/import/")
    page.get_by_label("File").set_input_files(file(tmp_path / "a.csv", ["a", "", "{}"]))
    page.get_by_label("Kind").select_option("scripted")
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Import and queue 1 entry").dblclick()
    expect(page.get_by_text("1 created; 1 queued.")).to_be_visible()
    assert AuditEvent.objects.filter(verb="submit").count() == 1


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
    page.get_by_label("File").set_input_files(file(tmp_path / "a.csv", ["a", "", "{}"]))
    page.get_by_label("Kind").select_option("scripted")
    page.get_by_role("button", name="Show what would change").click()
    page.get_by_role("button", name="Import and queue 1 entry").click()
    expect(page.get_by_text("1 created; 1 queued.")).to_be_visible()
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
    page.get_by_label("File").set_input_files(file(tmp_path / "a.csv", *rows))
    page.get_by_label("Kind").select_option("scripted")
    page.get_by_role("button", name="Show what would change").click()
    expect(page.locator(".rows")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "preview"
