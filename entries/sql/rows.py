"""Rows by the names of their columns."""

from typing import Any


def read_dicts(cursor: Any) -> list[dict[str, Any]]:
    """Return all rows that the statement of ``cursor`` has found."""
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
