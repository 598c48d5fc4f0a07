"""Files of JSON: one list, or one object a line."""

import io
import json
from functools import partial

import pytest

from entries.errors import SourceError
from entries.readers.base import Limits, Row, RowError
from entries.readers.objects import JsonTable
from tests.support.files import peak_while
from tests.support.tables import read_table, refused_table

read = partial(read_table, JsonTable)
refused = partial(refused_table, JsonTable)


class Drops(io.BytesIO):
    """Hands out a byte where much is asked for, so that everything is cut everywhere."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(1 if size and size > 100 else size)

    def readline(self, size: int | None = -1, /) -> bytes:
        return super().readline(1 if size and size > 100 else size)


LISTS = [
    ("[]", []),
    (" \n [ ] \n", []),
    ('[{"a": 1}]', [Row(1, {"a": 1})]),
    ('\ufeff[\n{"a": 1}\n,\n{"b": 2}\n]\n', [Row(1, {"a": 1}), Row(2, {"b": 2})]),
    ('[{"a": "]},{"}]', [Row(1, {"a": "]},{"})]),
    ('[{"a": "\\"]"}, {"a": {}}]', [Row(1, {"a": '"]'}), Row(2, {"a": {}})]),
    ('[{"a": "\\ud83d\\ude00 é"}]', [Row(1, {"a": "😀 é"})]),
    ("[12, 3, true]", [RowError(number, "not a JSON object") for number in (1, 2, 3)]),
]
FAULTS = [
    (b'{"a": 1, "a": 2}', "a repeated key"),
    (b'{"a": {"b": 1, "b": 1}}', "a repeated key"),
    (b'{"a": "\\ud800"}', "half a character (a lone surrogate)"),
    (b'{"\\udc00": 1}', "half a character (a lone surrogate)"),
    (b'{"a": ' + b"[" * 51 + b"]" * 51 + b"}", "nested deeper than 50 levels"),
    (b'{"a": ' + b"9" * 5_000 + b"}", "a number with too many digits"),
    (b'{"a": "\xff"}', "not in UTF-8"),
    (b'"text"', "not a JSON object"),
    (b"null", "not a JSON object"),
    (b'{"a": "' + b"x" * 300 + b'", "b": "' + b"x" * 5_000 + b'"}', "longer than 5,200 characters"),
    (json.dumps({str(number): 0 for number in range(21)}).encode(), "more than 20 keys"),
]


@pytest.mark.parametrize(("content", "rows"), LISTS)
def test_a_list(content: str, rows: list[Row]) -> None:
    assert read(content) == rows
    with JsonTable(Drops(content.encode()), limits=Limits()) as table:
        assert list(table) == rows
        assert table.place(1) == "item 1"


@pytest.mark.parametrize(("item", "reason"), FAULTS)
def test_an_item_that_cannot_be_kept_costs_itself(item: bytes, reason: str) -> None:
    limits = Limits(columns=20, characters=5_200)
    around = b'{"id": 1}'
    content = b"[" + b",".join([around, item, around]) + b"]"
    good = {"id": 1}
    assert read(content, limits=limits) == [Row(1, good), RowError(2, reason), Row(3, good)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"a": 1}', "at item 1: a comma or ] is missing after it"),
        ('[{"a": 1},', "at item 2: the file ends within it"),
        ('[{"a": 1', "at item 1: the file ends within it"),
        ('[{"a": 1},]', "at item 2"),
        ('[{"a": 1} {"b": 2}]', "at item 1: a comma or ] is missing after it"),
        ('[{"a": 1}] more', "there is more after the list"),
        ('[{"a": 1}, {a: 1}, ' + " " * 1_000_000 + "]", "at item 2: Expecting property name"),
        ("[" * 100_000, "at item 1: nested too deep"),
        ('[{"a": tru', "at item 1: the file ends within it"),
    ],
)
def test_a_list_that_is_no_json_is_an_error_of_the_file(content: str, said: str) -> None:
    error = refused(content)
    assert error.code == "malformed"
    assert said in str(error)


def test_what_came_before_an_error_has_come() -> None:
    table = JsonTable(io.BytesIO(b'[{"a": 1}, {"a": 2}, oops ' + b" " * 100), limits=Limits())
    seen: list[object] = []
    with pytest.raises(SourceError), table:
        seen.extend(row for row in table)
    assert seen == [Row(1, {"a": 1}), Row(2, {"a": 2})]


def test_text_without_end() -> None:
    error = refused('[{"a": "' + "x" * 3_000_000)
    assert (error.code, str(error)) == ("too_large", "item 1 is longer than 1,000,000 characters")


def test_each_row_has_its_own_keys() -> None:
    """Sixty-four kilobytes whose rows times columns were sixteen million cells."""
    rows = [{"external_id": str(number), f"k{number}": 1} for number in range(4_000)]
    assert read(json.dumps(rows)) == [Row(number, row) for number, row in enumerate(rows, 1)]


def test_lists_may_be_refused() -> None:
    assert "one JSON list" in str(refused("[]", lists=False))


def test_lines_are_the_lines_of_the_file() -> None:
    assert read('\n \n{"a": 1}\n\n{"a": \n{"a": 2}') == [
        Row(3, {"a": 1}),
        RowError(5, "not JSON"),
        Row(6, {"a": 2}),
    ]


@pytest.mark.parametrize("content", ['[{"a": "é"}]', '{"a": "é"}\n'])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark(content: str, encoding: str) -> None:
    assert read(content.encode(encoding)) == [Row(1, {"a": "é"})]


def test_half_of_utf_16() -> None:
    assert refused('[{"a": "é"}]'.encode("utf-16")[:-1]).code == "malformed"


@pytest.mark.parametrize("pattern", ["[{},{},{}]", "{}\n{}\n{}\n"])
def test_limits(pattern: str) -> None:
    filled = pattern.replace("{}", '{"a": 1, "b": 2}')
    assert len(read(filled, limits=Limits(rows=3, cells=6))) == 3
    assert str(refused(filled, limits=Limits(rows=2))) == "the file has more than 2 rows"
    assert str(refused(filled, limits=Limits(cells=5))) == "the file has more than 5 cells"
    assert str(refused(filled, limits=Limits(bytes=5))) == "the file has more than 5 bytes"
    assert refused(filled, limits=Limits(seconds=-1)).code == "too_slow"


def test_memory_does_not_grow_with_the_list() -> None:
    rows = ",".join(f'{{"id": {number}, "x": "{"y" * 50}"}}' for number in range(50_000))
    with JsonTable(io.BytesIO(f"[{rows}]".encode()), limits=Limits()) as table:
        found, peak = peak_while(iter(table))
    assert found == 50_000
    assert peak < 2_000_000
