"""What lists look entries up by and no transition writes: a table of its own with its own indexes.

An update that changes a status touches every index of its table, and most entries change theirs
four times. Here the indexes of source, kind, upstream and text cost only what is stored.
"""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from entries.models.triggers import after_statement

#: Between external id and title in ``IndexedEntry.text``: no search may match across both.
SEPARATOR = "\x1f"


class IndexedEntry(models.Model):
    """The row of an entry with the same id. Only the triggers of ``Entry`` write it.

    Rows of entries that were stored before this table may be missing until ``manage.py
    index_entries`` has run: see ``IndexBacklog``.
    """

    id = models.BigIntegerField(primary_key=True)
    # No constraints: each would cost a lookup for every row, and the triggers copy what is there.
    source_id = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=50)
    upstream = models.CharField(max_length=200)
    text = models.TextField(help_text=_("external id and title"))

    class Meta:
        default_permissions = ()
        indexes: ClassVar = [
            models.Index(fields=["source_id", "id"], name="indexed_source"),
            models.Index(fields=["kind", "id"], name="indexed_kind"),
            models.Index(fields=["upstream", "id"], name="indexed_upstream"),
            # As Django compiles "icontains", so that it finds what it finds on an entry's columns.
            GinIndex(OpClass(Upper("text"), name="gin_trgm_ops"), name="indexed_text"),
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}"


class IndexBacklog(models.Model):
    """At most one row: entries up to ``last_id`` were stored before there was ``IndexedEntry``.

    Those up to ``done_id`` are in it by now. Deleted when all are.
    """

    done_id = models.BigIntegerField(default=0)
    last_id = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"entries {self.done_id + 1} to {self.last_id}"


_OVERWRITE = (
    " ON CONFLICT (id) DO UPDATE SET source_id = excluded.source_id, kind = excluded.kind,"
    " upstream = excluded.upstream, text = excluded.text"
)
_INSERT_ALL = (
    "INSERT INTO entries_indexedentry (id, source_id, kind, upstream, text)"
    " SELECT id, source_id, kind, upstream, external_id || chr(31) || title FROM new_rows"
    " ORDER BY id"
)
_INSERT_ONE = (
    "INSERT INTO entries_indexedentry (id, source_id, kind, upstream, text) VALUES (NEW.id,"
    " NEW.source_id, NEW.kind, NEW.upstream, NEW.external_id || chr(31) || NEW.title)"
)

#: On ``Entry``. An update that names none of the columns, as all transitions, runs none of them.
TRIGGERS = [
    after_statement("index_new", pgtrigger.Insert, _INSERT_ALL + _OVERWRITE, new=True),
    pgtrigger.Trigger(
        name="index_changed",
        level=pgtrigger.Row,
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
            "external_id", "title", "source_id", "kind", "upstream"
        ),
        condition=pgtrigger.AnyChange("external_id", "title", "source", "kind", "upstream"),
        func=f"{_INSERT_ONE}{_OVERWRITE}; RETURN NULL;",
    ),
    after_statement(
        "index_deleted",
        pgtrigger.Delete,
        "DELETE FROM entries_indexedentry i USING old_rows o WHERE i.id = o.id",
        old=True,
    ),
    # Where both are truncated at once, it can only be emptied like this.
    after_statement("index_emptied", pgtrigger.Truncate, "DELETE FROM entries_indexedentry"),
]
