"""The history of imports."""

from typing import ClassVar
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from entries.models import Source
from retry.models.intakes import Intake, SyncState


class Import(Intake):
    """One reading of an uploaded file: first a dry run, then, once confirmed, one that stores.

    ``position``: rows that are done, written with what they stored: another worker continues there.
    ``queued`` of a dry run: entries that would be queued.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    source = models.ForeignKey(
        Source,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text=_("where the entries belong; empty: to none"),
    )
    kind = models.CharField(max_length=50)
    location = models.CharField(
        max_length=200,
        blank=True,
        help_text=_("where the upload is kept; empty once it is removed"),
    )
    file_name = models.CharField(max_length=200, help_text=_("the name it was uploaded with"))
    file_format = models.CharField(max_length=10)
    confirms = models.OneToOneField(
        "self", null=True, on_delete=models.PROTECT, related_name="confirmation"
    )
    skip_invalid = models.BooleanField(default=False, help_text=_("rows with errors are left out"))
    has_payload = models.BooleanField(
        default=False, help_text=_("there is a column payload, so that other columns mean nothing")
    )
    position = models.PositiveBigIntegerField(default=0)
    left_alone = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict, help_text=_("why how many were left alone"))
    losses = models.PositiveSmallIntegerField(default=0, help_text=_("workers that died over it"))

    class Meta:
        ordering: ClassVar = ["-created_at"]
        default_permissions: ClassVar = ()
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=SyncState.values), name="import_state_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-created_at"], name="import_newest"),
            models.Index(fields=["actor", "-created_at"], name="import_own"),
            models.Index(
                fields=["state", "created_at"],
                name="import_unsettled",
                condition=Q(state__in=["queued", "running"]),
            ),
            models.Index(fields=["created_at"], name="import_kept", condition=~Q(location="")),
        ]

    def __str__(self) -> str:
        return f"{'dry run' if self.dry_run else 'import'} of {self.file_name}"
