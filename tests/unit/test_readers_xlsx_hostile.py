"""Workbooks of an attacker: small, and refused by what was counted long before they are large."""

from functools import partial

import pytest

from entries.readers.base import Limits, Row, RowError
from entries.readers.xlsx.table import XlsxTable
from tests.support.tables import read_table, refused_table
from tests.support.workbooks import EINS, ONE, STYLES, inline, packed, parts

read = partial(read_table, XlsxTable)
refused = partial(refused_table, XlsxTable)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('<row r="999999999"><c><v>1</v></c></row>', "row 999,999,999 after row 1"),
        (f'<row r="{"9" * 5_000}"/>', "there is no row"),
        ('<row r="-1"/>', "there is no row '-1'"),
        ('<row r="2"><c r="XFE2"><v>1</v></c></row>', "there is no column 16,385"),
        ('<row r="2"><c r="ZZZZZZZ2"><v>1</v></c></row>', "there is no cell 'ZZZZZZZ2'"),
        ('<row r="2"><c r="2"><v>1</v></c></row>', "there is no cell '2'"),
        ('<row r="2"><c t="s"><v>999999999999</v></c></row>', "no shared text 999,999,999,999"),
    ],
)
def test_numbers_beyond_excel(row: str, said: str) -> None:
    error = refused(packed(parts(inline(["id"]) + row)))
    assert error.code == "malformed"
    assert said in str(error)


def test_five_million_empty_cells() -> None:
    rows = inline(["id"]) + f"<row>{'<c/>' * 5_000}</row>" * 1_000
    content = packed(parts(rows))
    assert len(content) < 100_000
    error = refused(content, limits=Limits(cells=100_000))
    assert (error.code, str(error)) == ("too_large", "the file has more than 100,000 cells")


def test_sixty_megabytes_of_shared_text() -> None:
    texts = f"<si><t>{'x' * 30_000}</t></si>" * 2_000
    content = packed(parts(ONE, texts=texts))
    assert len(content) < 300_000
    assert read(content) == EINS, "nobody asks for it, so it is not unpacked"
    error = refused(content, limits=Limits(bytes=20_000_000))
    assert (error.code, "xl/sharedStrings.xml unpacks to" in str(error)) == ("too_large", True)


def test_one_long_text_in_many_cells() -> None:
    texts = f"<si><t>{'x' * 500_000}</t></si>"
    cells = '<c t="s"><v>0</v></c>' * 1_000
    rows = f"{inline(['id'])}<row>{cells}</row>" + inline([1])
    assert read(packed(parts(rows, texts=texts))) == [
        RowError(2, "longer than 1,000,000 characters"),
        Row(3, {"id": 1}),
    ]


def test_short_rows_below_a_wide_header() -> None:
    rows = inline([f"c{number}" for number in range(1_000)]) + inline([1]) * 2_000
    error = refused(packed(parts(rows)), limits=Limits(cells=1_000_000))
    assert str(error) == "the file has more than 1,000,000 cells"


def test_too_many_columns_and_rows() -> None:
    content = packed(parts(inline(["a", "b", "c"], [1], [2], [3])))
    assert "more than 2 columns" in str(refused(content, limits=Limits(columns=2)))
    assert "more than 2 rows" in str(refused(content, limits=Limits(rows=2)))
    assert len(read(content, limits=Limits(rows=3, columns=3))) == 3


def test_entities_in_every_part() -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    some = parts(inline(["id"]) + '<row><c t="s"><v>0</v></c></row>', texts="<si/>")
    for name in set(some) - {STYLES}:
        for encoding in ("utf-8", "utf-16"):
            content = packed({**some, name: (bomb + some[name]).encode(encoding)})
            assert refused(content).code == "not_allowed", name


def test_many_sheets() -> None:
    some = parts(ONE)
    sheet = '<sheet name="{0}" sheetId="1" r:id="rId1"/>'
    many = "".join(sheet.format(number) for number in range(10_001))
    some["xl/workbook.xml"] = some["xl/workbook.xml"].replace("<sheets>", f"<sheets>{many}")
    assert str(refused(packed(some))) == "the workbook has more than 10,000 sheets"


def test_a_sheet_of_nothing_takes_no_longer_than_it_may() -> None:
    content = packed(parts(inline(["id"]) + "<row/>" * 100_000))
    assert refused(content, limits=Limits(cells=50_000)).code == "too_large"
    assert read(content) == []
    error = refused(content, limits=Limits(seconds=-1))
    assert (error.code, str(error)) == (
        "too_slow",
        "reading the file takes more than -1 seconds",
    )
