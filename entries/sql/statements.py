"""Statements in ``.sql`` files beside the modules that run them.

A file holds statements one after the other. Each begins with its name, and a comment that says what
it guarantees::

    -- name: lock_entries
    -- Locks entries in id order.
    SELECT id FROM entries_entry WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE

Parameters are named. A part that several statements share is a fragment, ``-- fragment: NAME`` in
the heading. It must stand above them, or be included from another file; ``@NAME`` in a statement is
replaced with it when the file is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_HEADING = re.compile(r"^-- (name|fragment): ([a-z][a-z0-9_]*)$", re.MULTILINE)
_LIKE_A_HEADING = re.compile(r"^--\s*(?:name|fragment)\s*:.*$", re.MULTILINE | re.IGNORECASE)
_INCLUDE = re.compile(r"(?<![\w@])@([a-z][a-z0-9_]*)\b")
_PARAMETER = re.compile(r"%\([a-z][a-z0-9_]*\)s|%%")
_PLACEHOLDER = re.compile(r"\{\w*\}")


class BadStatement(Exception):
    """A mistake in a ``.sql`` file; the message names the file, the statement and the mistake."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one file by name, and the fragments that other files may include."""

    path: Path
    statements: Mapping[str, str]
    fragments: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """Return a statement. Raises ``BadStatement`` for a name that the file does not have."""
        try:
            return self.statements[name]
        except KeyError:
            known = ", ".join(self.statements)
            raise BadStatement(f"{self.path}: no statement {name!r}; it has {known}") from None


def load(module_file: str, *, include: Mapping[str, str] | None = None) -> Statements:
    """Read the ``.sql`` file beside a module: ``_SQL = load(__file__)``.

    ``include``: the fragments of another file. Raises ``BadStatement``: a mistake shows when the
    module is imported.
    """
    return read(Path(module_file).with_suffix(".sql"), include=include)


def read(path: Path, *, include: Mapping[str, str] | None = None) -> Statements:
    """Read and check one ``.sql`` file. Raises ``BadStatement``."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadStatement(f"{path}: cannot be read: {error}") from error
    _check_headings(text, path)
    head, *parts = _HEADING.split(text)
    if _strip_comments(head):
        raise BadStatement(f"{path}: SQL above the first heading has no name")
    available = dict(include or {})
    fragments: dict[str, str] = {}
    statements: dict[str, str] = {}
    for what, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        place = f"{path}: {name}"
        if name in statements or name in available:
            raise BadStatement(f"{place}: this name is already taken")
        if not body.lstrip("\n").startswith("-- "):
            raise BadStatement(f"{place}: the line below the heading must say what it guarantees")
        sql = _expand(_strip_comments(body), available, place)
        _check(sql, place)
        if what == "fragment":
            fragments[name] = available[name] = sql
        else:
            statements[name] = sql
    return Statements(path, statements, fragments)


def _check_headings(text: str, path: Path) -> None:
    for match in _LIKE_A_HEADING.finditer(text):
        if not _HEADING.fullmatch(match[0]):
            raise BadStatement(
                f"{path}: {match[0]!r} is no heading; write '-- name: lower_case_name'"
            )


def _strip_comments(text: str) -> str:
    """Return ``text`` without comment lines and indentation; a comment behind SQL stays."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if not line.startswith("--")).strip()


def _expand(sql: str, fragments: Mapping[str, str], place: str) -> str:
    def find_fragment(match: re.Match[str]) -> str:
        try:
            return fragments[match[1]]
        except KeyError:
            raise BadStatement(f"{place}: no fragment {match[1]!r} above it") from None

    return _INCLUDE.sub(find_fragment, sql)


def _check(sql: str, place: str) -> None:
    if not sql:
        raise BadStatement(f"{place}: is empty")
    if "%" in _PARAMETER.sub("", sql):
        raise BadStatement(f"{place}: name parameters, %(like_this)s, and write % as %%")
    if _PLACEHOLDER.search(sql.replace("'{}'", "")):
        raise BadStatement(f"{place}: nothing may be formatted into a statement")
    if ";" in sql:
        raise BadStatement(f"{place}: must be one statement, without a semicolon")
