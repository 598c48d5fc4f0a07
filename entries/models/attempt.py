"""The attempts at an entry."""

from datetime import datetime
from typing import ClassVar, NamedTuple

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from entries.models.entry import Entry
from entries.states import AttemptStatus, EntryStatus


class Progress(NamedTuple):
    """How far an attempt is, who has or had it, and since when."""

    status: str
    worker: str
    started_at: datetime | None


class Attempt(models.Model):
    """One try at one entry."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(
        Entry, on_delete=models.CASCADE, related_name="attempts", db_index=False
    )
    number = models.PositiveIntegerField()
    run_id = models.UUIDField()
    status = models.CharField(max_length=12, default=AttemptStatus.QUEUED)
    previous_status = models.CharField(
        max_length=12, help_text=_("the entry's, before this attempt")
    )
    queued_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    error_class = models.CharField(max_length=200, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    traceback = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=40, blank=True)
    result = models.JSONField(null=True)
    is_rescan = models.BooleanField(
        db_default=False, help_text=_("an earlier attempt at the entry had begun")
    )
    change = models.CharField(
        max_length=10, blank=True, db_default="", help_text=_("what a resync found at the source")
    )
    hash_before = models.CharField(max_length=64, blank=True, db_default="")
    hash_after = models.CharField(max_length=64, blank=True, db_default="")
    transient = models.BooleanField(db_default=False, help_text=_("failed with a transient error"))
    began = models.BooleanField(
        db_default=False, help_text=_("its processing has begun; counts if it is lost")
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "number"], name="attempt_entry_number"),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in AttemptStatus]),
                name="attempt_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} at entry {self.entry_id}"

    def find_progress(self, entry: Entry) -> Progress:
        """Return how far this attempt at ``entry`` is.

        While it runs, the entry alone says so: the attempt is written when it ends.
        """
        if self.status == AttemptStatus.QUEUED and entry.status == EntryStatus.RUNNING:
            return Progress(AttemptStatus.RUNNING, entry.worker, entry.status_changed_at)
        return Progress(self.status, self.worker, self.started_at)
