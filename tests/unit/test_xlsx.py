"""The kind of source "xlsx"."""

import io
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from entries.errors import SourceError
from entries.readers.xlsx import package
from entries.sources import registry
from entries.sources.base import Invalid, SourceItem
from tests.support.files import Files, peak_while

SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Files:
    settings.REDRIVE_SOURCE_DIRS = [str(tmp_path)]
    return Files(tmp_path, "xlsx")


def workbook(*rows: Iterable[Any], **sheets: list[list[Any]]) -> bytes:
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    for name, others in sheets.items():
        sheet = book.create_sheet(name)
        for row in others:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_parts(parts: Mapping[str, bytes | str], of: bytes | None = None) -> bytes:
    """A workbook with some of its parts replaced."""
    out = io.BytesIO()
    with (
        ZipFile(io.BytesIO(of or workbook(["id"], [1]))) as old,
        ZipFile(out, "w", ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, content in parts.items():
            new.writestr(name, content)
    return out.getvalue()


def sheet_of(rows: str, *, before: str = "") -> bytes:
    return with_parts(
        {SHEET: f'{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'}
    )


def with_shared(text: str, of: bytes) -> bytes:
    """openpyxl reads shared text and writes none."""
    with ZipFile(io.BytesIO(of)) as archive:
        types = archive.read("[Content_Types].xml").decode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    return with_parts(
        {
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{text}</sst>',
            "[Content_Types].xml": types.replace("</Types>", override),
        },
        of=of,
    )


ID = '<row r="1"><c r="A1" t="inlineStr"><is><t>id</t></is></c></row>'


def refused(files: Files, content: bytes, **options: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        list(files.read(content, **options).items)
    return caught.value


def test_the_payload_is_the_row_in_json_types(files: Files) -> None:
    moment = datetime(2030, 1, 2, 3, 4, 5)  # noqa: DTZ001 - Excel knows no zones
    content = workbook(
        ["id", "title", "n", "f", "yes", "day", "at", "clock", "took", "none"],
        ["a", "One", 3, 1.5, True, date(2030, 1, 2), moment, time(3, 4), timedelta(hours=30)],
    )
    (row,) = files.rows(content)
    assert row == SourceItem(
        "a",
        "One",
        {
            "id": "a",
            "title": "One",
            "n": 3,
            "f": 1.5,
            "yes": True,
            "day": "2030-01-02T00:00:00",
            "at": "2030-01-02T03:04:05",
            "clock": "03:04:00",
            "took": "P1DT06H00M00S",
            "none": None,
        },
    )


def test_broken_styles_cost_a_note(files: Files) -> None:
    reading = files.read(with_parts({"xl/styles.xml": "<broken"}))
    assert list(reading.items) == [SourceItem("1", "1", {"id": 1})]
    (note,) = reading.notes
    assert note.startswith("the workbook's styles cannot be read, so dates may come as numbers")


def test_the_list_of_types_is_not_needed(files: Files) -> None:
    assert files.rows(with_parts({"[Content_Types].xml": "<x/>"})) == [
        SourceItem("1", "1", {"id": 1})
    ]


def test_numbers_are_ids(files: Files) -> None:
    rows = files.rows(workbook(["id"], [17], [17.5], [18.0]))
    assert [row.external_id for row in rows if isinstance(row, SourceItem)] == ["17", "17.5", "18"]


def test_rows_that_are_no_items(files: Files) -> None:
    rows = files.rows(workbook([], ["id", "a"], [1], [], [None, 2], [3, 4, 5], [6, 7, ""], [True]))
    assert rows == [
        SourceItem("1", "1", {"id": 1, "a": None}),
        Invalid("without an id", "row 5"),
        Invalid("more cells than columns", "row 6"),
        SourceItem("6", "6", {"id": 6, "a": 7}),
        Invalid("without an id", "row 8"),
    ]


def test_a_sheet_is_chosen(files: Files) -> None:
    content = workbook(["id"], ["first"], Other=[["id"], ["second"]])
    assert files.rows(content) == [SourceItem("first", "first", {"id": "first"})]
    assert files.rows(content, sheet="Other") == [SourceItem("second", "second", {"id": "second"})]
    error = refused(files, content, sheet="Third")
    assert (error.code, str(error)) == (
        "not_found",
        "there is no sheet 'Third'; there are: Sheet, Other",
    )


def test_text_formatted_shared_and_in_place_is_text(files: Files) -> None:
    shared = (
        "<si><t>id</t></si>"
        "<si><r><t>bo</t></r><r><t>ld</t></r><rPh sb='0' eb='1'><t>no</t></rPh></si>"
    )
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row>'
        '<row r="3"><c r="A3" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r></is></c></row>'
        '<row r="4"><c t="str"><f>"a"&amp;"b"</f><v>ab</v></c></row>'
    )
    content = with_shared(shared, of=sheet_of(rows))
    found = [row.external_id for row in files.rows(content) if isinstance(row, SourceItem)]
    assert found == ["bold", "inline", "ab"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (workbook(), "the sheet is empty"),
        (workbook(["a", "b"], [1, 2]), 'there is no column "id"; the header has: a, b'),
        (workbook(["id", "a", "a"]), '2 columns are called "a"'),
        (workbook(["id", None, "a"]), "column 2 of the header has no name"),
        (workbook(["id"], [None], ["", ""]), None),
        (workbook(["id"], [True], [False]), "none of the first 2 rows can be used (row 2: without"),
        (
            b"id,title\n1,2\n",
            "the file is not an Excel workbook; an older .xls must be saved as .xlsx",
        ),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000), "the file is not an Excel workbook"),
        (workbook(["id"])[:-200], "the file is not an Excel workbook"),
        (with_parts({SHEET: "<broken"}), "the workbook is damaged (ExpatError: unclosed token"),
        (with_parts({SHEET: ""}), "the workbook is damaged (ExpatError: no element found"),
        (with_parts({"xl/workbook.xml": "<document/>"}), "the file is not an Excel workbook"),
        (sheet_of(ID + '<row r="2"><c t="s"><v>99</v></c></row>'), "there is no shared text 99"),
        (sheet_of(ID + '<row r="2"><c t="s"><v>-1</v></c></row>'), "there is no shared text -1"),
        (sheet_of(ID + '<row r="2"><c t="n"><v>x</v></c></row>'), "row 2: an invalid number"),
        (sheet_of(ID + '<row r="1"><c><v>1</v></c></row>'), "row 1 after row 1"),
        (sheet_of(ID + '<row r="99999999"><c><v>1</v></c></row>'), "row 99,999,999 after row 1"),
        (sheet_of('<row r="1"><c r="ZZZ1"><v>1</v></c></row>'), "there is no column 18,278"),
    ],
)
def test_what_makes_no_sense(files: Files, content: bytes, message: str | None) -> None:
    if message is None:
        assert files.rows(content) == []
        return
    error = refused(files, content)
    assert error.code in {"malformed", "empty"}
    assert message in str(error)


class TestHostile:
    def test_a_part_that_unpacks_to_far_too_much(self, files: Files) -> None:
        content = with_parts({"xl/styles.xml": " " * 20_000_000})
        assert len(content) < 100_000
        error = refused(files, content)
        assert error.code == "too_large"
        assert "xl/styles.xml unpacks to 20,000,000 bytes" in str(error)

    def test_a_sheet_that_unpacks_to_far_too_much(
        self, files: Files, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(package, "MAX_STREAMED", 1_000_000)
        assert refused(files, sheet_of(ID + " " * 2_000_000)).code == "too_large"

    @pytest.mark.parametrize(
        "rows",
        [
            '<row r="2"><c t="inlineStr"><is><t>' + "x" * 50_000_000 + "</t></is></c></row>",
            '<row r="2">' + "<c/>" * 10_000_000 + "</row>",
            "<nothing/>" * 4_000_000,
        ],
    )
    def test_a_row_without_end(self, files: Files, rows: str) -> None:
        assert refused(files, sheet_of(ID + rows)).code == "too_large"

    def test_shared_text_without_end(self, files: Files) -> None:
        text = f"<si><t>{'x' * 5_000_000}</t></si>"
        asks = sheet_of(ID + '<row r="2"><c t="s"><v>0</v></c></row>')
        assert refused(files, with_shared(text, of=asks)).code == "too_large"
        assert files.rows(with_shared(text, of=workbook(["id"]))) == [], "nobody asked for it"

    @pytest.mark.parametrize(
        "doctype",
        [
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>',
            '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
            "<!-- " + "x" * 100_000 + " --><!DOCTYPE x>",
        ],
    )
    def test_document_types_of_its_own(self, files: Files, doctype: str) -> None:
        assert refused(files, sheet_of(ID, before=doctype)).code == "not_allowed"

    def test_an_archive_of_nothing_but_parts(self, files: Files) -> None:
        out = io.BytesIO()
        with ZipFile(out, "w") as archive:
            archive.writestr("a", "")
        content = out.getvalue()
        end = content.rfind(b"PK\5\6")
        size = (50_000_000).to_bytes(4, "little")
        assert refused(files, content[: end + 12] + size + content[end + 16 :]).code == "too_large"


def test_memory_does_not_grow_with_the_rows(files: Files) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["id", "x"])
    for number in range(20_000):
        sheet.append([number, f"{number} {'y' * 50}"])
    out = io.BytesIO()
    book.save(out)
    count, peak = peak_while(files.read(out.getvalue()).items)
    assert count == 20_000
    assert peak < 2_000_000


def test_only_some_are_read(files: Files) -> None:
    spec = files.spec(workbook(["id"], [1], [2], [3]), {})
    assert list(registry.get("xlsx").read_some(spec, {"2"})) == [SourceItem("2", "2", {"id": 2})]
