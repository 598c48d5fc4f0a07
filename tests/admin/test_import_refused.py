"""What an import refuses: rows, files, forms that are not its own."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from entries.models import Entry
from tests.admin.browsing import Browser, text_of
from tests.admin.test_walk import everything
from tests.admin.transfers import (
    CONFIRM,
    confirm,
    csv_file,
    json_file,
    preview,
    refusals,
    waiting,
    xlsx_file,
)

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


BAD_ROWS = {
    "no id": (',"{}"', "external_id must not be blank"),
    "long id": (f'{"x" * 501},"{{}}"', "external_id must have at most 500 characters"),
    "control": ('a\x1b,"{}"', "external_id must not contain control characters"),
    "NUL": ('a\x00,"{}"', "external_id must not contain control characters"),
    "twice": ('fine,"{}"', "external_id is the same as in line 2"),
    "no payload": ("a,", "payload is empty"),
    "words": ("a,hello", "payload is not JSON"),
    "a list": ('a,"[1]"', "payload must be a JSON object"),
    "NaN": ('a,"{""n"": NaN}"', "payload is not JSON"),
    "NUL in payload": ('a,"{""n"": ""\\u0000""}"', "payload holds something"),
    "surrogate": ('a,"{""n"": ""\\ud800""}"', "payload holds something"),
    "deep": ("a," + "[" * 60 + "]" * 60, "payload cannot be stored: nested deeper"),
    "endless": ("a," + "[" * 100_000, "payload is not JSON"),
    "large": ('a,"{""n"": ""' + "x" * 262_144 + '""}"', "payload cannot be stored: larger"),
}


@pytest.mark.parametrize(("row", "why"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_row_with_an_error_is_named_and_stops_the_import(
    importer: Browser, folder: Path, row: str, why: str
) -> None:
    before = everything()
    answer = preview(importer, csv_file(f'external_id,payload\nfine,"{{}}"\n\n{row}\n'))
    assert "confirm_form" not in answer.context
    (found, _) = answer.context["result"].resource.rows()
    assert found.line == 4
    assert any(why in error for error in found.errors), found.errors
    said = text_of(answer.content.decode())
    assert "1 row cannot be stored, so nothing can be imported" in said
    assert everything() == before
    assert waiting(folder) == 0


BAD_FILES: dict[str, tuple[SimpleUploadedFile, str]] = {
    "no id column": (csv_file("id,payload\n1,{}\n"), "There is no column external_id"),
    "twice": (csv_file("external_id,a,a\n1,2,3\n"), "2 columns are called a"),
    "no name": (csv_file("external_id,,a\n1,2,3\n"), "Column 2 of the header has no name"),
    "more cells": (csv_file("external_id,a\n1,2\n1,2,3\n"), "Line 3 has more cells"),
    "latin-1": (
        csv_file(b"external_id\nfine\nd\xe9j\xe0\n"),
        "Line 3 is not UTF-8",
    ),
    "quotes": (csv_file('external_id\n"a" b\n'), "Line 2"),
    "empty": (csv_file("external_id\n"), "No valid data"),
    "no header": (csv_file("\n\n"), "There is no column external_id"),
    "not zipped": (SimpleUploadedFile("a.xlsx", b"PK but not really"), "This is no XLSX file"),
    "not JSON": (SimpleUploadedFile("a.json", b"{"), "It is not JSON"),
    "deep JSON": (SimpleUploadedFile("a.json", b"[" * 100_000), "It is not JSON"),
    "an object": (json_file({"external_id": 1}), "It must be a list of objects"),
    "a list of lists": (json_file([[1]]), "It must be a list of objects"),
    "another ending": (SimpleUploadedFile("a.ods", b"x"), "must end in one of .csv, .xlsx, .json"),
    "no ending": (SimpleUploadedFile("csv.", b"x"), "must end in one of"),
    "nothing": (SimpleUploadedFile("a.csv", b""), "empty"),
}


@pytest.mark.parametrize(("file", "why"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_makes_no_sense_is_refused(
    importer: Browser, folder: Path, file: SimpleUploadedFile, why: str
) -> None:
    file.seek(0)
    (said,) = refusals(preview(importer, file))
    assert why in said
    assert waiting(folder) == 0
    assert not Entry.objects.exists()


def test_long_files_are_for_a_source(importer: Browser, settings: Any) -> None:
    settings.REDRIVE_IMPORT_LIMIT = 3
    fits = "external_id\n1\n2\n\n3\n\n"
    assert "confirm_form" in preview(importer, csv_file(fits)).context
    (said,) = refusals(preview(importer, csv_file(f"{fits}4\n")))
    assert "more than 3 rows. Add a source" in said
    settings.REDRIVE_IMPORT_MAX_BYTES = 10
    (said,) = refusals(preview(importer, csv_file(fits)))
    assert "more than 10 bytes. Add a source" in said


def test_a_zip_bomb_is_not_unpacked(
    importer: Browser, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from retry.admin.transfer import reading

    monkeypatch.setattr(reading, "_MAX_UNPACKED", 10_000)
    rows = [["external_id"], *([f"{'0' * 100}{n}"] for n in range(200))]
    (said,) = refusals(preview(importer, xlsx_file(rows)))
    assert said == "Unpacked it has more than 10,000 bytes."


class TestForged:
    """The confirmation is a form like any other: nobody says that its fields are ours."""

    def test_the_file_of_somebody_else(self, importer: Browser, chief: "User") -> None:
        answer = preview(importer, csv_file("external_id\n1\n"))
        (said,) = confirm(Browser(chief), answer)
        assert "nothing was imported" in said
        assert not Entry.objects.exists()

    @pytest.mark.parametrize(
        "changes",
        [
            {"import_file_name": "../../etc/passwd"},
            {"import_file_name": "0" * 32},
            {"import_file_name": ""},
            {"format": "99"},
            {"format": "-1"},
            {"format": "x"},
            {"kind": "x" * 51},
            {"reason": "x" * 501},
        ],
    )
    def test_odd_fields(self, importer: Browser, changes: dict[str, str]) -> None:
        answer = preview(importer, csv_file("external_id\n1\n"))
        (said,) = confirm(importer, answer, **changes)
        assert "nothing was imported" in said
        assert not Entry.objects.exists()

    @pytest.mark.parametrize(
        "changes", [{"kind": "nothing"}, {"source": "nowhere"}, {"format": "1"}]
    )
    def test_what_the_service_or_the_file_refuses(
        self, importer: Browser, changes: dict[str, str]
    ) -> None:
        answer = preview(importer, csv_file("external_id\n1\n"))
        (said,) = confirm(importer, answer, **changes)
        assert said
        assert not Entry.objects.exists()

    def test_nothing_at_all(self, importer: Browser) -> None:
        (said,) = importer.press(CONFIRM)
        assert "nothing was imported" in said
