"""The kind of source "csv"."""

from pathlib import Path
from typing import Any

import pytest

from entries.errors import SourceError
from entries.sources import registry
from entries.sources.base import Invalid, SourceItem, SourceSpec
from entries.sources.files import kind as files_module
from tests.support.files import Files, peak_while


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Files:
    settings.REDRIVE_SOURCE_DIRS = [str(tmp_path)]
    return Files(tmp_path, "csv")


def item(external_id: str, name: str, **payload: str) -> SourceItem:
    return SourceItem(external_id, name, {"id": external_id, **payload})


def refused(files: Files, content: bytes | str, **options: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        files.read(content, **options)
    return caught.value


def test_the_payload_is_the_row_as_text(files: Files) -> None:
    assert files.rows('id,title,n\n1,"One, ""two""\nthree",007\n2,,\n') == [
        item("1", 'One, "two"\nthree', title='One, "two"\nthree', n="007"),
        item("2", "2", title="", n=""),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(files: Files, delimiter: str) -> None:
    content = f"{delimiter.join(['a b, c; d', 'id', 'x'])}\n{delimiter.join(['p', '1', 'q'])}\n"
    if delimiter in ",;":
        content = content.replace("a b, c; d", '"a b, c; d"')
    assert files.rows(content) == [SourceItem("1", "1", {"a b, c; d": "p", "id": "1", "x": "q"})]


def test_any_delimiter_can_be_said(files: Files) -> None:
    assert files.rows("id~a,b\n1~2\n", delimiter="~") == [item("1", "1", **{"a,b": "2"})]
    assert files.rows("id\n1\n2\n") == [item("1", "1"), item("2", "2")]


def test_columns_are_chosen(files: Files) -> None:
    rows = files.rows("Key, Name \n1,One\n", id_field="Key", title_field="Name")
    assert rows == [SourceItem("1", "One", {"Key": "1", "Name": "One"})]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_blank_lines(files: Files, end: str) -> None:
    assert files.rows(end.join(["", "id,a", "", "1,2", "", "", "3,4"])) == [
        item("1", "1", a="2"),
        item("3", "3", a="4"),
    ]


def test_a_column_without_a_name_at_the_end_is_nothing(files: Files) -> None:
    assert files.rows("id,a,\n1,2,\n") == [item("1", "1", a="2")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_say_what_they_are(files: Files, encoding: str) -> None:
    assert files.rows("id;a\n1;é\n".encode(encoding)) == [item("1", "1", a="é")]


def test_a_mark_beats_the_option(files: Files) -> None:
    content = "id,title\r\n1,Äpfel\r\n".encode("utf-8-sig")
    assert files.rows(content, encoding="utf-8") == [item("1", "Äpfel", title="Äpfel")]


def test_the_first_line_of_excel(files: Files) -> None:
    content = "sep=;\r\nid;title\r\n1;Eins\r\n2;Zwei\r\n".encode("utf-8-sig")
    rows = [item("1", "Eins", title="Eins"), item("2", "Zwei", title="Zwei")]
    assert files.rows(content) == rows


def test_other_encodings_are_said(files: Files) -> None:
    content = "id;a\n1;é\n".encode("cp1252")
    assert files.rows(content, encoding="windows-1252") == [item("1", "1", a="é")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2,a,b", "more cells than columns"),
        (",a", "without an id"),
        ("  ,a", "without an id"),
    ],
)
def test_a_row_that_is_no_item_is_left_out(files: Files, row: str, reason: str) -> None:
    rows = files.rows(f'id,a\n1,"x\ny"\n{row}\n3,z\n')
    assert rows[1] == Invalid(reason, "line 4")
    assert [row for row in rows if isinstance(row, SourceItem)] == [
        item("1", "1", a="x\ny"),
        item("3", "3", a="z"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n\n", 'there is no column "id"; the header has: none'),
        ("a,b\n1,2\n", 'there is no column "id"; the header has: a, b'),
        ("1,2\n3,4\n", 'there is no column "id"; the header has: 1, 2'),
        ("id,a,a\n1,2,3\n", '2 columns are called "a"'),
        ("id,,a\n1,2,3\n", "column 2 of the header has no name"),
        (b"PK\3\4\x14\0\6\0", "the file is binary, or not in utf-8"),
        (b"\x89PNG\r\n\x1a\n\0\0", "the file is binary, or not in utf-8"),
        (b"id,a\n1,ok\n2,\xe9t\xe9\n", "line 3 is not in utf-8; set the option encoding"),
        ('id,a\n1,b\n2,"c\n3,d\n', "line 4: unexpected end of data; a quotation mark is missing"),
        ('id,a\n1,"b"c\n', "line 2: ',' expected after '\"'; a quotation mark"),
        ("id,a\n1,2,3\n,4\n", r"none of the first 2 rows can be used (line 2: more cells"),
        ("id,a\n1," + "x" * 1_000_001, "the row that reaches line 2 is longer than 1,000,000"),
        ('id,a\n1,"' + "x\n" * 600_000, "is longer than 1,000,000 characters; a quotation mark"),
        ("id" + ",a" * 600_000, "line 1 is longer than 1,000,000 characters"),
    ],
)
def test_what_is_wrong_is_known_before_anything_is_handed_out(
    files: Files, content: bytes | str, message: str
) -> None:
    error = refused(files, content)
    assert error.code == "malformed"
    assert message in str(error)


def test_of_a_short_row_what_is_missing_is_empty(files: Files) -> None:
    assert files.rows("id,title,note\r\n1,A,x\r\n2,B\r\n3\r\n") == [
        item("1", "A", title="A", note="x"),
        item("2", "B", title="B", note=""),
        item("3", "3", title="", note=""),
    ]


def test_a_row_of_empty_cells_is_blank(files: Files) -> None:
    """Spreadsheets save them below the last row, and they are nobody's."""
    assert files.rows("id,a\n1,2\n,\n,,,\n3,4\n") == [item("1", "1", a="2"), item("3", "3", a="4")]


def test_a_header_alone_is_a_source_without_rows(files: Files) -> None:
    assert files.rows("id,title\n") == []


def test_options_are_checked(files: Files) -> None:
    problems = registry.get("csv").problems_with(
        files.spec("id\n1\n", {"delimiter": ";;", "encoding": "klingon"})
    )
    assert problems == [
        "option delimiter: one character, such as ; or a tab",
        "option encoding: there is no encoding 'klingon'",
    ]
    assert refused(files, "id\n1\n", title_field="name").code == "malformed"


def test_a_cell_may_be_as_large_as_a_row(files: Files) -> None:
    (row,) = files.rows(f"id,a\n1,{'x' * 900_000}\n")
    assert isinstance(row, SourceItem)
    assert len(row.payload["a"]) == 900_000


class TestLargeFiles:
    """They are not read through beforehand, so what is broken far down shows half-way."""

    @pytest.fixture(autouse=True)
    def large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(files_module, "READ_AHEAD", 5)

    def test_what_came_before_an_error_has_come(self, files: Files) -> None:
        content = "id,a\n" + "".join(f"{number},b\n" for number in range(5_000))
        reading = files.read(content.encode() + b"\xff,b\n")
        assert reading.total is None
        seen: list[object] = []
        with pytest.raises(SourceError, match="line 5,002 is not in utf-8"):
            seen.extend(row for row in reading.items)
        assert len(seen) > 20

    def test_the_beginning_is_still_checked_at_once(self, files: Files) -> None:
        assert refused(files, "a,b\n1,2\n").code == "malformed"
        assert refused(files, b"id\n\xff\n").code == "malformed"

    def test_300_megabytes_on_one_line(self, files: Files) -> None:
        path = files.folder / "long.csv"
        with path.open("wb") as file:
            file.write(b"id\n1\n" + b"x" * 100_000)
            file.truncate(300_000_000)
        with pytest.raises(SourceError, match="longer than 1,000,000 characters"):
            registry.get("csv").read(SourceSpec("rows", str(path)))


def test_memory_does_not_grow_with_the_rows(files: Files) -> None:
    rows = "".join(f'{number},"{"y" * 50}"\n' for number in range(100_000))
    reading = files.read("id,x\n" + rows)
    assert reading.total == 100_000
    assert peak_while(reading.items) < (100_001, 1_000_000)


def test_only_some_are_read(files: Files) -> None:
    spec = files.spec("id,a\n1,x\n2,y\n3,z\n", {})
    assert list(registry.get("csv").read_some(spec, ["2", "9"])) == [item("2", "2", a="y")]
