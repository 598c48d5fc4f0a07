"""Arrays in PostgreSQL's notation."""

from collections.abc import Iterable
from uuid import UUID


def array(items: Iterable[int | UUID]) -> str:
    """Return an array literal of numbers or UUIDs, to be cast in the statement.

    psycopg quotes element by element in Python, which takes ten times as long.
    """
    return f"{{{','.join(map(str, items))}}}"
