"""The kind of source "jsonlines"."""

import json
from pathlib import Path
from typing import Any

import pytest

from entries.errors import SourceError
from entries.sources import registry
from entries.sources.base import NOT_SEEN, Invalid, SourceItem, SourceSpec
from entries.sources.files import kind as files_module
from tests.support.files import Files, peak_while

GOOD = '{"id": "ok"}\n'
OK = SourceItem("ok", "ok", {"id": "ok"})


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Files:
    settings.REDRIVE_SOURCE_DIRS = [str(tmp_path)]
    return Files(tmp_path, "jsonlines")


def refused(files: Files, content: bytes | str, **options: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        files.read(content, **options)
    return caught.value


def test_the_payload_is_the_object(files: Files) -> None:
    assert files.rows('{"id": "a", "title": "One", "n": [1]}\n{"id": 2}') == [
        SourceItem("a", "One", {"id": "a", "title": "One", "n": [1]}),
        SourceItem("2", "2", {"id": 2}),
    ]


def test_fields_are_chosen_and_may_lie_deeper(files: Files) -> None:
    row = '{"meta": {"key": 7}, "x.y": "T"}\n'
    assert files.rows(row, id_field="meta.key", title_field="x.y") == [
        SourceItem("7", "T", json.loads(row))
    ]


def test_what_editors_leave_behind_is_forgiven(files: Files) -> None:
    assert files.rows("\ufeff" + GOOD.replace("\n", "\r\n") + "\r\n\n" + GOOD.strip()) == [OK, OK]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_say_what_they_are(files: Files, encoding: str) -> None:
    content = ('{"id": "é\u2028"}\n' * 2).encode(encoding)
    assert files.rows(content) == [SourceItem("é\u2028", "é\u2028", {"id": "é\u2028"})] * 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "a"', "not JSON"),
        (b"id,title", "not JSON"),
        (b'{"id": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"id": "\xff"}', "not in UTF-8"),
        (b'{"id": "a\0"}', "not JSON"),
        (b'{"id": "a", "x": {"y": 1, "y": 2}}', "a repeated key"),
        (b'{"id": "a\\ud83d"}', "half a character (a lone surrogate)"),
        (b'{"id": "a", "x": ' + b"[" * 51 + b"]" * 51 + b"}", "nested deeper than 50 levels"),
        (b"\0\0\0", "not JSON"),
        (b'["id", 1]', "not a JSON object"),
        (b'"id"', "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"title": "a"}', "without an id"),
        (b'{"id": ""}', "without an id"),
        (b'{"id": null}', "without an id"),
        (b'{"id": true}', "without an id"),
        (b'{"id": NaN}', "without an id"),
        (b'{"id": {"a": 1}}', "without an id"),
        (b'{"id": "a", "x": "' + b"x" * 1_000_000 + b'"}', "longer than 1,000,000 bytes"),
    ],
)
def test_a_line_that_is_no_item_is_left_out(files: Files, line: bytes, reason: str) -> None:
    rows = files.rows(GOOD.encode() + line + b"\n" + GOOD.encode())
    assert rows == [OK, Invalid(reason, "line 2"), OK]


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        ("\n\r\n \n", "empty", "only empty lines"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "malformed", r"none of the first 3 rows can be used"),
        (b"PK\3\4\0\0", "malformed", "binary"),
        ('{"id": 1}\n'.encode("utf-16-le"), "malformed", "binary, or not in UTF-8"),
        ("<html>\n" * 50, "malformed", r"none of the first 20 rows can be used \(line 1: not JSON"),
        ('[\n{"id": 1},\n{"id": 2}\n]\n', "malformed", "one JSON list"),
        ('{"key": 1}\n{"key": 2}\n', "malformed", "line 1: without an id"),
    ],
)
def test_a_file_of_something_else_is_refused_as_a_whole(
    files: Files, content: bytes | str, code: str, message: str
) -> None:
    error = refused(files, content)
    assert error.code == code
    with pytest.raises(SourceError, match=message):
        raise error


def test_a_line_of_300_megabytes(files: Files) -> None:
    path = files.folder / "long.jsonl"
    with path.open("wb") as file:
        file.write(GOOD.encode())
        file.truncate(300_000_000)
        file.seek(0, 2)
        file.write(b"\n" + GOOD.encode())
    reading = registry.get("jsonlines").read(SourceSpec("rows", str(path)))
    assert reading.total is None, "too large to be counted beforehand"
    count, peak = peak_while(reading.items)
    assert count == 3
    assert peak < 8_000_000


def test_memory_does_not_grow_with_the_rows(files: Files) -> None:
    rows = "".join(f'{{"id": {number}, "x": "{"y" * 50}"}}\n' for number in range(100_000))
    reading = files.read(rows)
    assert reading.total == 100_000
    assert peak_while(reading.items) < (100_001, 1_000_000)


def test_only_some_are_read(files: Files) -> None:
    spec = files.spec('{"id": 1}\n{"id": 2, "a": 1}\nnonsense\n{"id": 3}\n', {})
    found = list(registry.get("jsonlines").read_some(spec, {"2", "3", "9"}))
    assert found == [
        SourceItem("2", "2", {"id": 2, "a": 1}),
        SourceItem("3", "3", {"id": 3}),
        Invalid(NOT_SEEN, external_id="9"),
    ], "nobody knows whose line the nonsense was"


def test_large_files_are_not_counted_first(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "READ_AHEAD", 5)
    assert files.read(GOOD).total is None
