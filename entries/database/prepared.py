"""A cursor whose statements PostgreSQL parses and plans once for each session."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Self

import psycopg

_PARAMETER = re.compile(r"%\((\w+)\)s|%%")


class PreparedCursor(psycopg.RawCursor[Any]):
    """For the few statements whose planning costs more than what they do.

    Their parameters are named, and each has the same type every time: another type is another
    prepared statement.
    """

    def execute(self, query: Any, params: Any = None, **_: Any) -> Self:
        numbered, names = _number(query)
        values: Mapping[str, Any] = params or {}
        # Only while this statement runs: the connection would remember the text of every other one
        # to count how often it is run, and some have megabytes.
        self.connection.prepare_threshold = 0
        try:
            return super().execute(numbered, [values[name] for name in names], prepare=True)
        finally:
            self.connection.prepare_threshold = None


@cache
def _number(query: str) -> tuple[bytes, tuple[str, ...]]:
    """Return a statement with numbers for names, and the names in their order."""
    places: dict[str, int] = {}

    def replace(found: re.Match[str]) -> str:
        return "%" if found[1] is None else f"${places.setdefault(found[1], len(places) + 1)}"

    return _PARAMETER.sub(replace, query).encode(), tuple(places)
