"""How many entries there are of each status, by source: counted when they change, never by reading
all of them.

Each statement that changes entries appends what it changed, in its own transaction and without a
lock that another would wait for. From time to time what was appended is folded into totals. Totals
and changes together are exact in every snapshot.
"""

from typing import ClassVar

import pgtrigger
from django.db import models

from entries.models.triggers import after_statement


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
    after_statement("count_new", pgtrigger.Insert, f"{_INSERT} {_NEW}", new=True),
    after_statement("count_changed", pgtrigger.Update, f"{_INSERT} {_CHANGED}", old=True, new=True),
    after_statement("count_deleted", pgtrigger.Delete, f"{_INSERT} {_OLD}", old=True),
    after_statement("count_emptied", pgtrigger.Truncate, f"{_INSERT} {_EMPTIED}"),
]
