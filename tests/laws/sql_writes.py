"""Finds the columns that SQL writes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXT = re.compile(r"'(?:[^']|'')*'")
_WRITE = re.compile(
    r"\b(update|insert\s+into|delete\s+from|merge\s+into|truncate(?:\s+table)?|copy)\s+"
    r'(?:only\s+)?"?([a-z_]+)"?',
    re.IGNORECASE,
)
_SET = re.compile(r"\bset\b", re.IGNORECASE)
_UPSERT = re.compile(r"\bdo\s+update\s+set\b", re.IGNORECASE)
_END_OF_SET = re.compile(r"\b(?:from|where|returning)\b", re.IGNORECASE)
#: What ``update`` stands before elsewhere: FOR UPDATE OF, DO UPDATE SET.
_NO_TABLES = frozenset({"of", "set", "skip", "nowait"})


@dataclass(frozen=True)
class Write:
    """One write; ``columns`` is empty where whole rows go, and where none could be read."""

    verb: str
    table: str
    columns: frozenset[str] = frozenset()


def writes(sql: str) -> Iterator[Write]:
    text = _TEXT.sub("''", _COMMENT.sub(" ", sql))
    for match in _WRITE.finditer(text):
        verb, table = match[1].lower().split()[0], match[2].lower()
        if table in _NO_TABLES:
            continue
        rest = _own(text[match.end() :])
        if verb == "update":
            start = _SET.search(rest)
            yield Write(verb, table, _set(rest[start.end() :]) if start else frozenset())
        elif verb == "insert":
            yield Write(verb, table, _inserted(rest))
            upsert = _UPSERT.search(rest)
            if upsert:
                yield Write("update", table, _set(rest[upsert.end() :]))
        else:
            yield Write(verb, table)


def _own(text: str) -> str:
    """What follows until the parenthesis closes in which the statement stands, or a semicolon."""
    depth = 0
    for index, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth < 0 or (sign == ";" and depth == 0):
            return text[:index]
    return text


def _set(text: str) -> frozenset[str]:
    """The columns of ``a = 1, (b, c) = (2, 3) WHERE …``."""
    return frozenset(
        column.strip().strip('"').lower()
        for part in _split(_before_end(text))
        for column in part.partition("=")[0].strip().strip("()").split(",")
        if column.strip()
    )


def _inserted(text: str) -> frozenset[str]:
    """The columns of ``AS alias (a, b) SELECT …``."""
    match = re.match(r"\s*(?:as\s+\w+\s*)?\(([^()]*)\)", text, re.IGNORECASE)
    return frozenset(c.strip().strip('"').lower() for c in match[1].split(",")) if match else _NONE


_NONE: frozenset[str] = frozenset()


def _before_end(text: str) -> str:
    depth = 0
    for index, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0 and _END_OF_SET.match(text, index) and not text[index - 1].isalnum():
            return text[:index]
    return text


def _split(text: str) -> Iterator[str]:
    depth, start = 0, 0
    for index, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            yield text[start:index]
            start = index + 1
    yield text[start:]
