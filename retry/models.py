"""What was asked for and handed to workers, and who asked: runs, audit, tokens, heartbeats."""

from typing import ClassVar
from uuid import uuid4

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from retry.outcomes import Doorway


class Trigger(models.TextChoices):
    SUBMIT = "submit", "first try"
    RETRY = "retry", "retry"
    BULK_RETRY = "bulk_retry", "bulk retry"
    RESYNC = "resync", "resync"
    AUTOMATIC = "automatic", "automatic retry"
    RESCUE = "rescue", "rescue"


class RunState(models.TextChoices):
    PLANNED = "planned"
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


class Run(models.Model):
    """The entries handed to a worker together under one RQ job."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    trigger = models.CharField(max_length=12, choices=Trigger)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_label = models.CharField(max_length=150)
    reason = models.CharField(max_length=500, blank=True)
    kind = models.CharField(max_length=50)
    queue = models.CharField(max_length=50)
    entry_ids = ArrayField(models.BigIntegerField())
    state = models.CharField(max_length=10, choices=RunState, default=RunState.QUEUED)
    job_id = models.CharField(
        max_length=100, help_text="of the RQ job; -<dispatches> follows when handed over again"
    )
    dispatches = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    dispatched_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)
    skipped = models.JSONField(default=dict, help_text="reason -> entry ids")
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    scheduled = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)

    class Meta:
        permissions: ClassVar = [("view_status", "Can see queues, workers and the dispatcher")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=RunState.values), name="run_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease_expires_at__isnull=False),
                name="run_running_has_lease",
            ),
        ]
        indexes: ClassVar = [
            # What the dispatcher looks at on every tick; few rows at any time.
            models.Index(
                fields=["state", "lease_expires_at"],
                name="run_unsettled",
                condition=Q(state__in=["planned", "queued", "running"]),
            ),
            models.Index(fields=["-created_at"], name="run_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.trigger} of {len(self.entry_ids)} ({self.state})"


class AuditEvent(models.Model):
    """One act, written in the act's own transaction; the database refuses to change or delete it."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    verb = models.CharField(max_length=30)
    # No constraint: the event outlives the user, and the label still says who it was.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    actor_label = models.CharField(max_length=150)
    doorway = models.CharField(max_length=10, choices=[(d.value, d.value) for d in Doorway])
    request_id = models.CharField(max_length=64, blank=True)
    entry_id = models.BigIntegerField(null=True)
    run_id = models.UUIDField(null=True)
    source_id = models.BigIntegerField(null=True)
    count = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["entry_id", "-id"], name="audit_entry")]
        triggers: ClassVar = [
            pgtrigger.Protect(
                name="append_only", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.verb} by {self.actor_label}"


class ApiToken(models.Model):
    """Lets a script act as a user. Only the SHA-256 of the token is stored."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = "API token"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="token_name_per_user")
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"


class Heartbeat(models.Model):
    """The last sign of life of a control loop, written on every tick."""

    DISPATCHER: ClassVar = "dispatcher"

    name = models.CharField(max_length=50, primary_key=True)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    last_tick = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} on {self.host} ({self.pid})"
