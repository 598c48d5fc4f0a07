"""The history of syncs."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from entries.models import Source
from retry.models.intakes import Intake, SyncState


class Sync(Intake):
    """One reading of a source."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="syncs")
    gone = models.PositiveIntegerField(default=0)
    not_modified = models.BooleanField(default=False)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=SyncState.values), name="sync_state_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["source", "-id"], name="sync_newest"),
            models.Index(
                fields=["state", "id"],
                name="sync_unsettled",
                condition=Q(state__in=["queued", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{'dry run' if self.dry_run else 'sync'} {self.pk}"
