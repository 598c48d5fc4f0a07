"""What syncs and imports have in common: a request, done by a worker, with counts."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from retry.outcomes import Channel


class SyncState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")


class Intake(models.Model):
    """One reading of a source or a file: who requested it, when, and the result.

    ``total`` is None where it cannot be known beforehand. A ``dry_run`` stores nothing; ``sample``
    shows some of what it would store.
    """

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_label = models.CharField(max_length=150)
    channel = models.CharField(max_length=10, choices=[(d.value, d.value) for d in Channel])
    request_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text=_("of what requested it")
    )
    reason = models.CharField(max_length=500, blank=True)
    dry_run = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=SyncState, default=SyncState.QUEUED)
    job_id = models.CharField(max_length=120, blank=True)
    dispatches = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(null=True)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    invalid = models.PositiveIntegerField(default=0)
    queued = models.PositiveIntegerField(default=0, help_text=_("new entries that were submitted"))
    error_code = models.CharField(max_length=50, blank=True)
    error = models.CharField(max_length=1000, blank=True)
    notes = models.JSONField(default=list)
    sample = models.JSONField(default=list, help_text=_("some of what a dry run would change"))

    class Meta:
        abstract: ClassVar = True

    @property
    def finished(self) -> bool:
        return self.state in {SyncState.SUCCEEDED, SyncState.FAILED}

    @property
    def dispatched(self) -> bool:
        """Whether Redis has its job; otherwise the dispatcher enqueues it once Redis is back."""
        return self.state != SyncState.QUEUED or self.dispatches > 0
