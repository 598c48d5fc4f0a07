"""Workbooks as programs write them, and as they do not."""

import io
from functools import partial
from zipfile import ZIP_BZIP2, ZIP_LZMA

import pytest
from openpyxl import Workbook

from entries.readers.base import Limits, Row, RowError
from entries.readers.xlsx.cells import escape
from entries.readers.xlsx.table import XlsxTable
from tests.support.tables import read_table, refused_table
from tests.support.workbooks import (
    EINS,
    MAIN,
    ONE,
    SHEET,
    STRICT_MAIN,
    STRICT_OFFICE,
    STYLES,
    TEXTS,
    inline,
    packed,
    parts,
    relations,
)

read = partial(read_table, XlsxTable)
refused = partial(refused_table, XlsxTable)


def notes(content: bytes) -> list[str]:
    with XlsxTable(io.BytesIO(content), limits=Limits()) as table:
        assert list(table) == EINS
        return table.notes


class TestStyles:
    @pytest.mark.parametrize(
        "styles",
        [
            '<fills count="1"><fill/></fills>',
            "<fills><fill><patternFill><extLst><ext/></extLst></patternFill></fill></fills>",
            "<fonts><font><family val='99'/><scheme val='odd'/></font></fonts>",
            "<cellXfs><xf numFmtId='nonsense'/><xf/></cellXfs>",
            "<numFmts><numFmt/></numFmts><cellXfs><xf numFmtId='164'/></cellXfs>",
            "<colors><indexedColors><rgbColor rgb='short'/></indexedColors></colors>",
        ],
    )
    def test_what_is_not_about_dates_may_be_as_it_likes(self, styles: str) -> None:
        assert notes(packed(parts(ONE, styles=styles))) == []

    @pytest.mark.parametrize(
        "styles", ["<broken", "", "<!DOCTYPE x [<!ENTITY a 'b'>]><styleSheet/>", "\0\0"]
    )
    def test_broken_ones_cost_a_note(self, styles: str) -> None:
        (note,) = notes(packed({**parts(ONE), STYLES: styles}))
        assert note.startswith("the workbook's styles cannot be read, so dates may come as numbers")

    def test_too_many_of_them_cost_a_note(self) -> None:
        content = packed(parts(ONE, styles=f"<cellXfs>{'<xf/>' * 100_001}</cellXfs>"))
        assert "more than 100,000" in notes(content)[0]

    def test_none_at_all_cost_nothing(self) -> None:
        some = parts(ONE)
        del some[STYLES]
        assert notes(packed(some)) == []

    def test_dates_times_and_durations(self) -> None:
        styles = (
            '<numFmts><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/>'
            '<numFmt numFmtId="165" formatCode="0&quot; days&quot;"/></numFmts>'
            '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
            '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="20"/>'
            '<xf numFmtId="164"/><xf numFmtId="46"/><xf numFmtId="165"/><xf numFmtId="31"/>'
            "</cellXfs>"
        )
        cells = [(0, "1"), (1, "42488"), (2, "0.5125"), (3, "41551.9999999998"), (4, "1.5")]
        cells += [(5, "7"), (6, "42488"), (1, "1E+300"), (99, "3"), (4, "0")]
        row = "".join(f'<c s="{style}"><v>{value}</v></c>' for style, value in cells)
        header = inline(list("abcdefghij"))
        (found,) = read(packed(parts(f"{header}<row>{row}</row>", styles=styles)))
        assert isinstance(found, Row)
        assert list(found.values.values()) == [
            1,
            "2016-04-28T00:00:00",
            "12:18:00",
            "2013-10-05T00:00:00",
            "P1DT12H00M00S",
            7,
            "2016-04-28T00:00:00",
            1e300,
            3,
            "P0DT00H00M00S",
        ]

    def test_the_calendar_of_1904(self) -> None:
        rows = inline(["d"]) + '<row><c s="0"><v>1</v></c></row>'
        content = parts(
            rows,
            styles='<cellXfs><xf numFmtId="14"/></cellXfs>',
            book='<workbookPr date1904="1"/>',
        )
        assert read(packed(content)) == [Row(2, {"d": "1904-01-02T00:00:00"})]


class TestPackage:
    @pytest.mark.parametrize("name", ["xl/SharedStrings.xml", "XL/sharedstrings.XML"])
    def test_names_are_compared_without_case(self, name: str) -> None:
        some = parts(inline(["id", "title"]) + '<row><c><v>1</v></c><c t="s"><v>0</v></c></row>')
        some[TEXTS] = f'<sst xmlns="{MAIN}"><si><t>Eins</t></si></sst>'
        some[name] = some.pop(TEXTS)
        assert read(packed(some)) == EINS

    def test_backslashes_are_slashes(self) -> None:
        some = {name.replace("/", "\\"): part for name, part in parts(ONE).items()}
        assert read(packed(some)) == EINS

    @pytest.mark.parametrize(
        "target", ["/xl/workbook.xml", "xl\\workbook.xml", "./xl/workbook.xml"]
    )
    def test_targets_however_they_are_written(self, target: str) -> None:
        some = {**parts(ONE), "_rels/.rels": relations(("officeDocument", target))}
        assert read(packed(some)) == EINS

    @pytest.mark.parametrize("missing", ["_rels/.rels", STYLES, TEXTS])
    def test_what_is_not_needed_may_be_missing(self, missing: str) -> None:
        some = parts(ONE)
        del some[missing]
        assert read(packed(some)) == EINS

    def test_what_is_needed_may_not(self) -> None:
        some = parts(ONE)
        del some[SHEET]
        assert "there is no xl/worksheets/sheet1.xml in it" in str(refused(packed(some)))

    @pytest.mark.parametrize("compression", [ZIP_BZIP2, ZIP_LZMA])
    def test_packed_in_a_way_that_unpacks_without_bounds(self, compression: int) -> None:
        assert refused(packed(parts(ONE), compression=compression)).code == "not_allowed"

    def test_a_word_document(self) -> None:
        some = {"_rels/.rels": relations(("officeDocument", "word/document.xml"))}
        some["word/document.xml"] = "<document/>"
        assert str(refused(packed(some))) == "the file is not an Excel workbook"

    def test_a_binary_workbook(self) -> None:
        some = {"_rels/.rels": relations(("officeDocument", "xl/workbook.bin"))}
        assert "an .xlsb; it must be saved as .xlsx" in str(refused(packed(some)))


class TestStrict:
    def test_it_is_read_like_the_transitional(self) -> None:
        assert read(packed(parts(ONE, main=STRICT_MAIN, office=STRICT_OFFICE))) == EINS

    def test_its_dates_are_the_same_dates(self) -> None:
        styles = '<cellXfs><xf numFmtId="14"/><xf numFmtId="46"/><xf numFmtId="20"/></cellXfs>'
        cells = [
            (0, "2016-04-28"),
            (0, "2016-04-28T11:30:00"),
            (0, "2016-04-28T11:30:00.500Z"),
            (2, "12:18:00"),
            (1, "PT36H"),
            (1, "1900-01-01T12:00:00"),
        ]
        row = "".join(f'<c t="d" s="{style}"><v>{value}</v></c>' for style, value in cells)
        rows = f"{inline(list('abcdef'))}<row>{row}</row>"
        content = parts(rows, styles=styles, main=STRICT_MAIN, office=STRICT_OFFICE)
        (found,) = read(packed(content))
        assert isinstance(found, Row)
        assert list(found.values.values()) == [
            "2016-04-28T00:00:00",
            "2016-04-28T11:30:00",
            "2016-04-28T11:30:00.500000",
            "12:18:00",
            "P1DT12H00M00S",
            "P1DT12H00M00S",
        ]

    def test_a_date_that_is_none_costs_its_row(self) -> None:
        rows = inline(["d"]) + '<row><c t="d"><v>soon</v></c></row>' + inline([1])
        assert read(packed(parts(rows))) == [RowError(2, "an invalid date"), Row(3, {"d": 1})]


class TestEscapes:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("line1_x000D_\nline2", "line1\r\nline2"),
            ("_x005F_x000D_ literal", "_x000D_ literal"),
            ("serial x005F_7", "serial x005F_7"),
            ("a_x000d_b", "a\rb"),
            ("_x00_ _x000G_ x000D_", "_x00_ _x000G_ x000D_"),
            ("_xD83D__xDE00_", "😀"),
            ("_x0041__x0042_", "AB"),
        ],
    )
    @pytest.mark.parametrize("kind", ["shared", "inline", "formula", "runs"])
    def test_text_is_what_was_meant(self, written: str, meant: str, kind: str) -> None:
        cells = {
            "shared": '<c t="s"><v>0</v></c>',
            "runs": '<c t="s"><v>0</v></c>',
            "inline": f'<c t="inlineStr"><is><t>{written}</t></is></c>',
            "formula": f'<c t="str"><f>A1</f><v>{written}</v></c>',
        }
        text = f"<t>{written}</t>"
        if kind == "runs":
            text = (
                f"<r><rPr><b/></rPr>{text}</r><r><t> end</t></r><rPh sb='0' eb='1'><t>no</t></rPh>"
            )
            meant += " end"
        rows = f"{inline(['a'])}<row>{cells[kind]}</row>"
        assert read(packed(parts(rows, texts=f"<si>{text}</si>"))) == [Row(2, {"a": meant})]

    @pytest.mark.parametrize(
        "text", ["_x000D_", "a\r\nb", "__x005F__", "_x005F_x000D_", "_x_x0041_"]
    )
    def test_what_is_written_comes_back(self, text: str) -> None:
        book = Workbook()
        book.active.append(["a"])
        book.active.append([escape(text)])
        out = io.BytesIO()
        book.save(out)
        assert read(out.getvalue()) == [Row(2, {"a": text})]

    def test_half_a_character_costs_its_row(self) -> None:
        rows = inline(["a"], ["_xD83D_"], ["b"])
        assert read(packed(parts(rows))) == [
            RowError(2, "half a character (a lone surrogate)"),
            Row(3, {"a": "b"}),
        ]


def test_values_of_each_type() -> None:
    row = (
        '<c r="A2" t="b"><v>1</v></c><c r="C2" t="b"><v>true</v></c><c r="D2" t="e"><v>#N/A</v></c>'
        '<c r="E2"><f>1+1</f><v>2</v></c><c r="F2"><f>1+1</f></c><c r="G2"><v>0.5</v></c>'
        '<c r="H2" t="inlineStr"><is><t/></is></c>'
    )
    (found,) = read(packed(parts(f"{inline(list('abcdefgh'))}<row>{row}</row>")))
    assert isinstance(found, Row)
    assert list(found.values.values()) == [True, None, True, "#N/A", 2, None, 0.5, ""]


def test_rows_and_columns_are_where_they_say() -> None:
    rows = inline(["a", "b", "c"]) + (
        '<row r="7"><c r="C7"><v>3</v></c><c r="a7"><v>1</v></c></row>'
        '<row><c r="B8"><v>2</v></c></row><row r="9"><c r="D9"><v>4</v></c></row>'
    )
    assert read(packed(parts(rows))) == [
        Row(7, {"a": 1, "b": None, "c": 3}),
        Row(8, {"a": None, "b": 2, "c": None}),
        RowError(9, "more cells than columns"),
    ]


def test_the_sheet_in_front() -> None:
    book = Workbook()
    for name in ("A", "B", "C"):
        book.create_sheet(name).append(["id"])
        book[name].append([name])
    book.active = 2
    out = io.BytesIO()
    book.save(out)
    assert read(out.getvalue(), front=True) == [Row(2, {"id": "B"})]
    assert read(out.getvalue(), front=True, sheet="C") == [Row(2, {"id": "C"})]
    assert refused(out.getvalue()).code == "empty"
