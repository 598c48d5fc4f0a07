"""What an import refuses: rows, files, and confirmations that are not its own."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from entries.models import Entry
from retry.models import Import
from tests.admin.browsing import Browser, page_of, text_of
from tests.admin.transfers import (
    confirm,
    counts,
    csv_file,
    everything_but_imports,
    json_file,
    press_confirm,
    preview,
    upload,
    waiting,
    xlsx_file,
)
from tests.factories.entries import EntryFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]

HALF = "x" * 200_000

BAD_ROWS = {
    "no id": (',"{}"', "external_id must not be blank"),
    "long id": (f'{"x" * 501},"{{}}"', "external_id must have at most 500 characters"),
    "control": ('a\x1b,"{}"', "external_id must not contain control characters"),
    "twice": ('fine,"{}"', "external_id is the same as in line 2"),
    "words": ("a,hello", "payload is not JSON"),
    "null": ("a,null", "payload must be a JSON object"),
    "a list": ('a,"[1]"', "payload must be a JSON object"),
    "NaN": ('a,"{""n"": NaN}"', "payload is not JSON"),
    "NUL in payload": ('a,"{""n"": ""\\u0000""}"', "payload holds something"),
    "surrogate": ('a,"{""n"": ""\\ud800""}"', "payload holds something"),
    "deep": ("a," + "[" * 60 + "]" * 60, "payload cannot be stored: nested deeper"),
    "endless": ("a," + "[" * 100_000, "payload is not JSON"),
    "large": ('a,"{""n"": ""' + "x" * 262_144 + '""}"', "payload cannot be stored: larger"),
    "more cells": ('a,"{}",1', "more cells than columns"),
}


@pytest.mark.parametrize(("row", "why"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_row_with_an_error_is_named_and_nothing_is_stored_unasked(
    importer: Browser, row: str, why: str
) -> None:
    before = everything_but_imports()
    found = preview(importer, csv_file(f'external_id,payload\nfine,"{{}}"\n\n{row}\n'))
    assert counts(found) == {"new": 1, "error": 1}
    bad = found.sample[0]
    assert (bad["line"], bad["what"]) == (4, "error")
    assert any(why in error for error in bad["errors"]), bad["errors"]
    said = text_of(importer.read(page_of(found)))
    assert "1 row cannot be stored" in said
    assert "Import 1 valid row" in said
    press_confirm(importer, found)
    assert everything_but_imports() == before
    assert not Import.objects.filter(confirms=found).exists()


def test_rows_without_an_id_are_not_the_same_row(importer: Browser) -> None:
    rows = [{"payload": {"n": 1}}, {"payload": "oops"}, {"External_ID": "x", "payload": "oops"}]
    found = preview(importer, json_file(rows))
    assert [(row["external_id"], row["errors"]) for row in found.sample] == [
        ("", ["external_id must not be blank"]),
        ("", ["payload is not JSON: Expecting value: line 1 column 1 (char 0)"]),
        ("x", ["payload is not JSON: Expecting value: line 1 column 1 (char 0)"]),
    ]


def test_good_rows_are_stored_where_somebody_says_so(importer: Browser) -> None:
    text = 'external_id,payload\na,"{}"\na,"{}"\nb,oops\nc,"{}"\n'
    found = preview(importer, csv_file(text))
    done = confirm(importer, found, skip_invalid="1")
    assert counts(done) == {"new": 2, "error": 2}
    said = text_of(importer.read(page_of(done)))
    assert "2 created. 2 queued. 2 left out, because they cannot be stored." in said
    assert "3 Left out a external_id is the same as in line 2" in said
    assert set(Entry.objects.values_list("external_id", flat=True)) == {"a", "c"}


def test_no_good_row_is_nothing_to_confirm(importer: Browser) -> None:
    found = preview(importer, csv_file("external_id,payload\na,oops\n"))
    assert "valid row" not in importer.read(page_of(found))
    press_confirm(importer, found, skip_invalid="1")
    assert not Import.objects.filter(confirms=found).exists()


def test_ids_that_are_the_same_are_found_however_far_apart(importer: Browser) -> None:
    lines = [f"{n % 2_400}" for n in range(2_402)]
    found = preview(importer, csv_file("external_id\n" + "\n".join(lines)))
    assert counts(found) == {"new": 2_400, "error": 2}
    assert [(row["line"], row["errors"]) for row in found.sample[:2]] == [
        (2_402, ["external_id is the same as in line 2"]),
        (2_403, ["external_id is the same as in line 3"]),
    ]


SURROGATES = {
    "id": rb'[{"external_id": "\ud800", "payload": {}}, {"external_id": "b"}]',
    "title": rb'[{"external_id": "a", "title": "x\udfff"}, {"external_id": "b"}]',
    "payload": rb'[{"external_id": "a", "payload": {"n": "\ud800"}}, {"external_id": "b"}]',
    "key": rb'[{"external_id": "a", "payload": {"\ud800": 1}}, {"external_id": "b"}]',
    "member": rb'[{"external_id": "a", "n": ["\ud800"]}, {"external_id": "b"}]',
    "column": rb'[{"external_id": "a", "\ud800": 1}, {"external_id": "b"}]',
    "NUL": rb'[{"external_id": "a", "\u0000": "\u0000"}, {"external_id": "b"}]',
}


@pytest.mark.parametrize("data", SURROGATES.values(), ids=SURROGATES.keys())
def test_what_is_no_text_is_an_error_of_its_row(importer: Browser, data: bytes) -> None:
    found = preview(importer, SimpleUploadedFile("a.json", data))
    assert (found.state, counts(found)) == ("succeeded", {"new": 1, "error": 1})
    assert "1 row cannot be stored" in text_of(importer.read(page_of(found)))
    confirm(importer, found, skip_invalid="1")
    assert list(Entry.objects.values_list("external_id", flat=True)) == ["b"]


def test_what_becomes_too_large_by_what_is_known_is_left_out(importer: Browser) -> None:
    EntryFactory.create(kind="scripted", external_id="a", payload={"a": HALF}, failed=True)
    file = csv_file(f"external_id,b\na,{HALF}\nb,{HALF}\n")
    found = preview(importer, file)
    assert counts(found) == {"new": 1, "error": 1}
    assert "payload cannot be stored: larger" in found.sample[0]["errors"][0]
    assert counts(confirm(importer, found, skip_invalid="1")) == {"new": 1, "error": 1}
    file.seek(0)
    Entry.objects.filter(external_id="a").update(payload={})
    found = preview(importer, file)
    Entry.objects.filter(external_id="a").update(payload={"a": HALF})
    done = confirm(importer, found)
    assert counts(done)["error"] == 1, "what the dry run could not know"
    assert done.sample[0]["line"] == 2


BAD_FILES: dict[str, tuple[SimpleUploadedFile, str]] = {
    "no id column": (csv_file("id,payload\n1,{}\n"), 'there is no column "external_id"'),
    "twice": (csv_file("external_id,a,a\n1,2,3\n"), '2 columns are called "a"'),
    "twice in other cases": (csv_file("external_id,Title,TITLE\n1,2,3\n"), "2 columns are called"),
    "no name": (csv_file("external_id,,a\n1,2,3\n"), "column 2 of the header has no name"),
    "latin-1": (csv_file(b"external_id\nfine\nd\xe9j\xe0\n"), "line 3 is not in utf-8"),
    "quotes": (csv_file('external_id\n"a" b\n'), "line 2"),
    "no rows": (csv_file("external_id\n"), "there are no rows"),
    "no header": (csv_file("\n\n"), 'there is no column "external_id"'),
    "not zipped": (SimpleUploadedFile("a.xlsx", b"PK but not really"), "workbook"),
    "empty sheet": (xlsx_file([]), "the sheet is empty"),
    "deep JSON": (SimpleUploadedFile("a.json", b"[" * 100_000), ""),
}


@pytest.mark.parametrize(("file", "why"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_file_that_makes_no_sense_is_refused_by_the_worker(
    importer: Browser, folder: Path, file: SimpleUploadedFile, why: str
) -> None:
    file.seek(0)
    found = preview(importer, file)
    assert found.state == "failed", counts(found)
    assert found.error_code in {"malformed", "empty"}
    assert why in found.error
    said = text_of(importer.read(page_of(found)))
    assert "Nothing was stored. Correct the file and choose it again." in said
    assert waiting(folder) == 0
    press_confirm(importer, found)
    assert not Entry.objects.exists()
    assert Import.objects.count() == 1


@pytest.mark.parametrize(
    "file",
    [
        SimpleUploadedFile("a.json", b"{"),
        json_file(7),
        json_file([7, [8], "x"]),
        csv_file("external_id\na\x00\n"),
    ],
    ids=["broken JSON", "a number", "no objects", "NUL"],
)
def test_a_file_of_nothing_but_errors_offers_nothing(
    importer: Browser, file: SimpleUploadedFile
) -> None:
    file.seek(0)
    found = preview(importer, file)
    assert (found.state, list(counts(found))) == ("succeeded", ["error"])
    page = text_of(importer.read(page_of(found)))
    assert "cannot be stored. Correct the file and choose it again." in page
    press_confirm(importer, found, skip_invalid="1")
    assert Import.objects.count() == 1


NO_FILES: dict[str, tuple[SimpleUploadedFile, str]] = {
    "another ending": (SimpleUploadedFile("a.ods", b"x"), "must end in one of .csv, .xlsx, .json"),
    "no ending": (SimpleUploadedFile("csv.", b"x"), "must end in one of"),
    "nothing": (SimpleUploadedFile("a.csv", b""), "empty"),
}


@pytest.mark.parametrize(("file", "why"), NO_FILES.values(), ids=NO_FILES.keys())
def test_what_is_no_file_of_ours_is_not_kept(
    importer: Browser, folder: Path, file: SimpleUploadedFile, why: str
) -> None:
    file.seek(0)
    answer = upload(importer, file)
    assert answer.status_code == 200
    (said,) = answer.context["form"].errors["import_file"]
    assert why in said
    assert waiting(folder) == 0
    assert not Import.objects.exists()


def test_what_is_too_long_is_not_kept(importer: Browser, folder: Path, settings: Any) -> None:
    settings.REDRIVE_UPLOAD_MAX_BYTES = 10
    answer = upload(importer, csv_file("external_id\n1\n"))
    assert answer.context["form"].errors["import_file"] == ["It has more than 10 bytes."]
    assert waiting(folder) == 0


class TestForged:
    """The confirmation is a form like any other: nobody says that its fields are ours."""

    def test_what_is_no_dry_run_of_ones_own(self, importer: Browser, chief: "User") -> None:
        other = preview(Browser(chief), csv_file("external_id\n1\n"))
        assert press_confirm(importer, other).status_code == 404
        own = preview(importer, csv_file("external_id\n1\n"))
        done = confirm(importer, own)
        assert press_confirm(importer, done).status_code == 404, "it is no dry run"
        other.pk = "00000000-0000-0000-0000-000000000000"
        assert press_confirm(importer, other).status_code == 404
        assert Entry.objects.count() == 1

    def test_what_is_not_compared_yet(self, importer: Browser) -> None:
        upload(importer, csv_file("external_id\n1\n"))
        row = Import.objects.get()
        for state in ("queued", "running", "failed"):
            Import.objects.update(state=state)
            answer = press_confirm(importer, row)
            (said,) = importer.messages_after(answer)
            assert said == f"The dry run is {state}; there is nothing to confirm."
        assert Import.objects.count() == 1
