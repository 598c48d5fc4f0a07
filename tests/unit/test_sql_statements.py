"""Statements in ``.sql`` files: what a good file gives, and how each mistake is refused."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from entries.sql import BadStatement, array, load
from entries.sql.checks import check_statements
from entries.sql.statements import read

GOOD = """\
-- The head of a file may say what it is about.

-- fragment: is_open
-- True for runs that have not ended.
(state IN ('planned', 'queued') AND name LIKE '50%%')

-- name: count_open
-- Counts the open runs of an operation.
SELECT count(*) FROM retry_run
-- a comment line goes, whatever %s or {x}; it holds
WHERE operation_id = %(operation)s AND @is_open  -- this one stays

-- name: at
-- An @ that is no include.
SELECT 'a@b', '{"a": 1}'::jsonb @> '{}'::jsonb, %(a)s
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "statements.sql"


def test_a_good_file(file: Path) -> None:
    file.write_text(GOOD)
    found = read(file)
    assert found["count_open"] == (
        "SELECT count(*) FROM retry_run\n"
        "WHERE operation_id = %(operation)s AND"
        " (state IN ('planned', 'queued') AND name LIKE '50%%')  -- this one stays"
    )
    assert found["at"] == """SELECT 'a@b', '{"a": 1}'::jsonb @> '{}'::jsonb, %(a)s"""
    assert list(found.statements) == ["count_open", "at"]
    assert list(found.fragments) == ["is_open"]


def test_the_file_beside_a_module(tmp_path: Path) -> None:
    (tmp_path / "work.sql").write_text(GOOD)
    assert "count_open" in load(str(tmp_path / "work.py")).statements


def test_fragments_of_another_file(tmp_path: Path, file: Path) -> None:
    other = tmp_path / "other.sql"
    other.write_text(GOOD)
    file.write_text("-- name: see\n-- Sees.\nSELECT @is_open AS a, @is_open AS b\n")
    included = read(other).fragments
    found = read(file, include=included)
    assert found["see"] == f"SELECT {included['is_open']} AS a, {included['is_open']} AS b"
    assert found.fragments == {}, "what was included is not handed on"


def test_a_fragment_in_a_fragment(file: Path) -> None:
    file.write_text(
        "-- fragment: one\n-- One.\n1\n-- fragment: two\n-- Two.\n@one + @one\n"
        "-- name: three\n-- Three.\nSELECT @two + @one\n"
    )
    assert read(file)["three"] == "SELECT 1 + 1 + 1"


def test_a_name_that_is_not_there(file: Path) -> None:
    file.write_text(GOOD)
    with pytest.raises(BadStatement, match="no statement 'is_open'; it has count_open, at"):
        read(file)["is_open"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT 1\n-- name: a\n-- A.\nSELECT 1", "SQL above the first heading has no name"),
        ("-- name: a\nSELECT 1", "a: the line below the heading must say what it guarantees"),
        ("-- name: a\n\nSELECT 1", "a: the line below the heading must say what it guarantees"),
        ("-- name: a\n-- A.\n", "a: is empty"),
        ("-- name: a\n-- A.\n-- name: b\n-- B.\nSELECT 1", "a: is empty"),
        ("-- name: a\n-- A.\nSELECT %s", "a: name parameters"),
        ("-- name: a\n-- A.\nSELECT %(A)s", "a: name parameters"),
        ("-- name: a\n-- A.\nSELECT 1 % 2", "a: name parameters"),
        ("-- name: a\n-- A.\nSELECT {column}", "a: nothing may be formatted"),
        ("-- name: a\n-- A.\nSELECT {}", "a: nothing may be formatted"),
        ("-- name: a\n-- A.\nSELECT 1;", "a: must be one statement"),
        ("-- name: a\n-- A.\nSELECT 1; SELECT 2", "a: must be one statement"),
        ("-- name: a\n-- A.\nSELECT @b", "a: no fragment 'b' above it"),
        (
            "-- name: a\n-- A.\nSELECT @b\n-- fragment: b\n-- B.\n1",
            "a: no fragment 'b' above it",
        ),
        ("-- name: a\n-- A.\nSELECT 1\n-- name: a\n-- A.\nSELECT 2", "a: this name is already"),
        (
            "-- fragment: a\n-- A.\n1\n-- name: a\n-- A.\nSELECT 2",
            "a: this name is already taken",
        ),
        ("-- name: included\n-- A.\nSELECT 1", "included: this name is already taken"),
        ("-- Name: a\n-- A.\nSELECT 1", "'-- Name: a' is no heading"),
        ("-- name: A\n-- A.\nSELECT 1", "'-- name: A' is no heading"),
        ("--fragment: a\n-- A.\nSELECT 1", "'--fragment: a' is no heading"),
    ],
)
def test_each_mistake_is_refused_by_name(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    with pytest.raises(BadStatement) as refused:
        read(file, include={"included": "1"})
    assert str(refused.value).startswith(f"{file}: ")
    assert message in str(refused.value)


def test_a_file_that_cannot_be_read(file: Path) -> None:
    with pytest.raises(BadStatement, match="cannot be read"):
        read(file)
    file.write_bytes(b"-- name: a\n-- A.\nSELECT '\xff'")
    with pytest.raises(BadStatement, match="cannot be read"):
        read(file)


def test_arrays() -> None:
    assert array([1, 23]) == "{1,23}"
    assert array([UUID(int=1)]) == "{00000000-0000-0000-0000-000000000001}"
    assert array(iter(())) == "{}"


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An app with one module and its statements."""
    root = tmp_path / "app_with_statements"
    (root / "inner").mkdir(parents=True)
    (root / "inner" / "work.py").write_text("from entries.sql import load\nSQL = load(__file__)\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield SimpleNamespace(name=root.name, path=str(root))
    for module in [name for name in sys.modules if name.startswith(root.name)]:
        del sys.modules[module]


def test_the_system_check_reports_a_bad_file(app: Any) -> None:
    (Path(app.path) / "inner" / "work.sql").write_text("-- name: a\n-- A.\nSELECT %s")
    (found,) = check_statements([app])
    assert found.id == "entries.E006"
    assert "work.sql: a: name parameters" in found.msg


def test_the_system_check_has_nothing_to_say_of_a_good_file(app: Any) -> None:
    (Path(app.path) / "inner" / "work.sql").write_text(GOOD)
    (Path(app.path) / "inner" / "schema.sql").write_text("CREATE TABLE a; -- of another tool")
    assert check_statements([app]) == []


def test_every_file_of_ours_is_good() -> None:
    assert check_statements() == []
