"""How many entries there are of each status, by source: counted when they change, never by reading
all of them.

Each statement that changes entries appends what it changed, in its own transaction and without a
lock that another would wait for. From time to time what was appended is folded into totals. Totals
and changes together are exact in every snapshot.
"""

from typing import ClassVar

import pgtrigger
from django.db import models


class StatusTotal(models.Model):
    """Entries of a status and a source, without what stands in ``StatusChange``."""

    # No constraint: a deleted source has counts of zero, and nothing looks for it.
    source_id = models.BigIntegerField(null=True)
    status = models.CharField(max_length=10)
    count = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source_id", "status"], nulls_distinct=False, name="status_total"
            )
        ]

    def __str__(self) -> str:
        return f"{self.count} {self.status}"


class StatusChange(models.Model):
    """How many more entries of a status and a source one statement left; negative: fewer."""

    source_id = models.BigIntegerField(null=True)
    status = models.CharField(max_length=10)
    count = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.count:+} {self.status}"


_INSERT = "INSERT INTO entries_statuschange (source_id, status, count)"
_NEW = "SELECT source_id, status, count(*) FROM new_rows GROUP BY 1, 2"
_OLD = "SELECT source_id, status, -count(*) FROM old_rows GROUP BY 1, 2"
_CHANGED = (
    f"SELECT source_id, status, sum(count) FROM ({_NEW} UNION ALL {_OLD})"  # noqa: S608 - constant
    " AS c (source_id, status, count) GROUP BY 1, 2 HAVING sum(count) <> 0"
)
_EMPTIED = (
    "SELECT source_id, status, -sum(count)"
    " FROM (SELECT source_id, status, count FROM entries_statustotal"
    " UNION ALL SELECT source_id, status, count FROM entries_statuschange) AS c"
    " GROUP BY 1, 2 HAVING sum(count) <> 0"
)

#: On ``Entry``. Of an update that leaves statuses and sources as they were, nothing is appended.
TRIGGERS = [
    pgtrigger.Trigger(
        name="count_new",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Insert,
        referencing=pgtrigger.Referencing(new="new_rows"),  # type: ignore[no-untyped-call]
        func=f"{_INSERT} {_NEW}; RETURN NULL;",
    ),
    pgtrigger.Trigger(
        name="count_changed",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Update,
        referencing=pgtrigger.Referencing(  # type: ignore[no-untyped-call]
            old="old_rows", new="new_rows"
        ),
        func=f"{_INSERT} {_CHANGED}; RETURN NULL;",
    ),
    pgtrigger.Trigger(
        name="count_deleted",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Delete,
        referencing=pgtrigger.Referencing(old="old_rows"),  # type: ignore[no-untyped-call]
        func=f"{_INSERT} {_OLD}; RETURN NULL;",
    ),
    pgtrigger.Trigger(
        name="count_emptied",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=pgtrigger.Truncate,
        func=f"{_INSERT} {_EMPTIED}; RETURN NULL;",
    ),
]
