"""Statements in files of their own, querysets as parts of them, and arrays for their parameters."""

from entries.sql.arrays import array
from entries.sql.prepared import open_prepared_cursor
from entries.sql.querysets import as_sql
from entries.sql.rows import read_dicts
from entries.sql.statements import BadStatement, Statements, load

__all__ = [
    "BadStatement",
    "Statements",
    "array",
    "as_sql",
    "load",
    "open_prepared_cursor",
    "read_dicts",
]
