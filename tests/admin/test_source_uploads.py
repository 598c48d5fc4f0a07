"""Files that staff upload for a source: where they go, and that none is left behind."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from entries.models import Source
from entries.sources import registry
from entries.sources.sync.calls import build_spec
from tests.admin.browsing import Browser, page_of, text_of
from tests.admin.test_source_pages import SOURCES, form
from tests.conftest import grant
from tests.factories.entries import SourceFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = b"id,title\n1,One\n2,Two\n"


@pytest.fixture
def folder(uploads: Path) -> Path:
    uploads.mkdir()
    return uploads


def file(name: str = "Orders 2024.CSV", content: bytes = ROWS) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/csv")


def filled(**changes: Any) -> dict[str, Any]:
    return form(kind="csv", location="", upload=file()) | changes


def stored(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_upload_is_read_instead_of_a_location(editor: "User", folder: Path) -> None:
    browser = Browser(editor)
    assert 'enctype="multipart/form-data"' in browser.read(f"{SOURCES}add/")
    browser.press(f"{SOURCES}add/", **filled())
    source = Source.objects.get()
    (name,) = stored(folder)
    assert source.location == f"upload:{name}"
    assert name.endswith("-orders-2024.csv")
    reading = registry.get("csv").read(build_spec(source))
    assert [item.external_id for item in reading.items if hasattr(item, "external_id")] == [
        "1",
        "2",
    ]
    assert "Current file: orders-2024.csv" in text_of(browser.read(page_of(source)))


def test_the_file_stays_when_something_else_is_changed(editor: "User", folder: Path) -> None:
    browser = Browser(editor)
    browser.press(f"{SOURCES}add/", **filled())
    source = Source.objects.get()
    changed = form(kind="csv", location=source.location, name="Orders")
    browser.press(page_of(source), **changed)
    assert (Source.objects.get().name, Source.objects.get().location) == ("Orders", source.location)
    assert len(stored(folder)) == 1


def test_a_new_file_replaces_the_old_one(editor: "User", folder: Path) -> None:
    browser = Browser(editor)
    browser.press(f"{SOURCES}add/", **filled())
    source = Source.objects.get()
    browser.press(page_of(source), **filled(location=source.location, upload=file("new.csv")))
    (name,) = stored(folder)
    assert name.endswith("-new.csv")
    assert Source.objects.get().location == f"upload:{name}"


def test_a_file_goes_when_its_source_is_read_from_elsewhere(editor: "User", folder: Path) -> None:
    browser = Browser(editor)
    browser.press(f"{SOURCES}add/", **filled())
    browser.press(page_of(Source.objects.get()), **form())
    assert stored(folder) == []


def test_a_file_that_another_source_reads_stays(editor: "User", folder: Path) -> None:
    browser = Browser(editor)
    browser.press(f"{SOURCES}add/", **filled())
    source = Source.objects.get()
    SourceFactory.create(kind="csv", location=source.location)
    browser.press(page_of(source), **form())
    assert [f"upload:{name}" for name in stored(folder)] == [source.location]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "feed"}, "A source of the kind feed is not read from a file."),
        ({"options": '{"depth": 1}'}, "unknown option depth"),
        ({"slug": "taken"}, "already exists"),
        ({"entry_kind": "nonsense"}, "Select a valid choice"),
        ({"upload": file(content=b"")}, "empty"),
        ({"upload": file(content=b"x" * 101)}, "The file has 101 bytes. The limit is 100 bytes."),
        ({"upload": ""}, "Enter a location or upload a file."),
        ({"upload": "", "location": "upload:../../manage.py"}, "not the name of an uploaded file"),
        ({"upload": "", "location": "/etc/passwd"}, "REDRIVE_SOURCE_DIRS"),
    ],
)
def test_nothing_is_kept_of_what_is_refused(
    changes: dict[str, Any], said: str, editor: "User", folder: Path, settings: Any
) -> None:
    settings.REDRIVE_UPLOAD_MAX_BYTES = 100
    SourceFactory.create(slug="taken")
    answer = Browser(editor).post(f"{SOURCES}add/", filled(**changes))
    assert answer.status_code == 200
    assert said in text_of(answer.content.decode())
    assert Source.objects.count() == 1
    assert stored(folder) == []


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("../../etc/passwd", "-passwd"),
        ("..\\..\\boot.ini", "-boot.ini"),
        ("Çedille & Co.xlsx", "-cedille-co.xlsx"),
        ("名前.csv", "-file.csv"),
        ("x" * 300 + ".csv", "-" + "x" * 80 + ".csv"),
        ("a.b;rm -rf", "-a"),
    ],
)
def test_no_name_leads_anywhere(name: str, ending: str, editor: "User", folder: Path) -> None:
    Browser(editor).press(f"{SOURCES}add/", **filled(upload=file(name)))
    (found,) = stored(folder)
    assert found[32:] == ending


def test_those_who_may_only_look_are_offered_no_file(reader: "User", folder: Path) -> None:
    source = SourceFactory.create()
    page = Browser(grant(reader, "entries.view_source")).read(page_of(source))
    assert 'type="file"' not in page
    assert "Upload a file instead" not in page
