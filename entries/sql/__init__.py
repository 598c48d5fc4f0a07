"""SQL in files of its own, and what its parameters need."""

from entries.sql.arrays import array
from entries.sql.statements import Statements, load

__all__ = ["Statements", "array", "load"]
