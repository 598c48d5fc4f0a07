"""Two weeks of counts from before the demo began, so that its plots have something to show."""

import psycopg

from entries.fingerprints import fingerprint
from entries.sql import load

_SQL = load(__file__)
_FINGERPRINT = fingerprint("TransientError", "HTTP 503 from http://127.0.0.1:8001/pages/1")


def add_history(database_url: str, *, source: str) -> None:
    """Add the counts, unless there are some from before today."""
    params = {"source": source, "fingerprint": _FINGERPRINT}
    with psycopg.connect(database_url) as connection:
        connection.execute(_SQL["add_history"], params)
