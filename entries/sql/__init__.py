"""Statements in files of their own, and arrays for their parameters."""

from entries.sql.arrays import array
from entries.sql.statements import BadStatement, Statements, load

__all__ = ["BadStatement", "Statements", "array", "load"]
