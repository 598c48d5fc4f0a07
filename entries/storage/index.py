"""Indexing entries that were stored before ``IndexedEntry`` existed."""

from django.db import connection, transaction

from entries.models import IndexBacklog
from entries.sql import load

BATCH = 5_000

_SQL = load(__file__)


def index_entries() -> int:
    """Work off the ``IndexBacklog``, one transaction a batch; return how many rows were missing.

    It can be interrupted, and goes on where it stopped. It blocks no writer of entries; a second
    one at the same time takes turns with the first.
    """
    total = 0
    while (written := _index_batch()) is not None:
        total += written
    return total


def _index_batch() -> int | None:
    """Index a batch and note how far that was; None where nothing is left."""
    with transaction.atomic(), connection.cursor() as cursor:
        backlog = IndexBacklog.objects.select_for_update().order_by("pk").first()
        if backlog is None:
            return None
        params = {"after": backlog.done_id, "last": backlog.last_id, "limit": BATCH}
        cursor.execute(_SQL["index_batch"], params)
        last, written = cursor.fetchone()
        if last is None:
            backlog.delete()
        else:
            backlog.done_id = last
            backlog.save(update_fields=["done_id"])
        return int(written)
