"""Statements that stand in ``.sql`` files beside the modules that run them.

A file holds statements one after the other. Each begins with its name, and a comment that says what
it guarantees::

    -- name: lock_entries
    -- Locks entries in the order of their ids, as everybody does.
    SELECT id FROM entries_entry WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE

Parameters are named. What several statements share is a fragment (``-- fragment: run_is_held``),
which a statement takes in by its name behind an ``@``, when the file is read.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_HEAD = re.compile(r"^-- (name|fragment): ([a-z][a-z0-9_]*)$", re.MULTILINE)
_INCLUDE = re.compile(r"(?<![\w@])@([a-z][a-z0-9_]*)\b")
_NAMED = re.compile(r"%\([a-z][a-z0-9_]*\)s|%%")


class BadStatement(Exception):
    """A ``.sql`` file that cannot be used as it is; the message names the file and the mistake."""


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements of one file, by name; ``fragments`` are for others to include."""

    path: Path
    statements: Mapping[str, str]
    fragments: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> str:
        """Raises ``BadStatement`` for a name that the file does not have."""
        try:
            return self.statements[name]
        except KeyError:
            known = ", ".join(self.statements)
            raise BadStatement(f"{self.path} has no statement {name!r}; it has {known}") from None


def load(module_file: str, *, include: Mapping[str, str] | None = None) -> Statements:
    """Read the ``.sql`` file beside a module: ``SQL = load(__file__)``.

    ``include``: fragments of other files. Raises ``BadStatement`` at import, when it is cheap to
    notice.
    """
    return read(Path(module_file).with_suffix(".sql"), include=include)


def read(path: Path, *, include: Mapping[str, str] | None = None) -> Statements:
    """Read one ``.sql`` file and check it. Raises ``BadStatement``."""
    head, *parts = _HEAD.split(path.read_text(encoding="utf-8"))
    if _code(head).strip():
        raise BadStatement(f"{path}: begins with SQL that has no name")
    fragments: dict[str, str] = dict(include or {})
    own: dict[str, str] = {}
    statements: dict[str, str] = {}
    for what, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        place = f"{path}: {name}"
        if name in statements or name in own:
            raise BadStatement(f"{place}: stands twice")
        if not body.lstrip("\n").startswith("-- "):
            raise BadStatement(f"{place}: a comment below its name must say what it guarantees")
        text = _included(_code(body).strip(), fragments, place)
        _check(text, place)
        if what == "fragment":
            own[name] = fragments[name] = text
        else:
            statements[name] = text
    return Statements(path, statements, own)


def _code(text: str) -> str:
    """The lines that are no comment; a comment behind SQL stays."""
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))


def _included(text: str, fragments: Mapping[str, str], place: str) -> str:
    def fragment(match: re.Match[str]) -> str:
        try:
            return fragments[match[1]]
        except KeyError:
            raise BadStatement(f"{place}: there is no fragment {match[1]!r}") from None

    return _INCLUDE.sub(fragment, text)


def _check(text: str, place: str) -> None:
    if not text:
        raise BadStatement(f"{place}: is empty")
    if "%" in _NAMED.sub("", text):
        raise BadStatement(f"{place}: parameters must be named, %(like_this)s, and % written %%")
    if re.search(r"\{\w*\}", text.replace("'{}'", "")):
        raise BadStatement(f"{place}: nothing is formatted into a statement")
    if text.rstrip().endswith(";") or ";" in text:
        raise BadStatement(f"{place}: is one statement, without a semicolon")
