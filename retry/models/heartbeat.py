"""Heartbeats of the processes that work in the background."""

import uuid
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Heartbeat(models.Model):
    """The last heartbeat of the active dispatcher, and its lease.

    ``holder``: which process it is; no other acts before ``lease_until``, by the database's clock.
    ``retry.dispatcher.leadership`` writes it.
    """

    DISPATCHER: ClassVar = "dispatcher"

    name = models.CharField(max_length=50, primary_key=True)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    last_tick = models.JSONField(default=dict)
    holder = models.CharField(max_length=64, default="")
    lease_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} on {self.host} ({self.pid})"


class WorkerState(models.TextChoices):
    IDLE = "idle", _("Idle")
    BUSY = "busy", _("Busy")
    #: It cannot reach Redis.
    WAITING = "waiting", _("Waiting")


class WorkerHeartbeat(models.Model):
    """The last heartbeat of a worker process, which deletes the row when it shuts down normally.

    ``job_id``, ``run_id`` and ``busy_since``: the job it was given. A worker may continue with
    later runs of the same operation, which are not named here. ``retry.heartbeats`` writes it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=200)
    queue = models.CharField(max_length=50)
    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    state = models.CharField(max_length=20, choices=WorkerState)
    job_id = models.CharField(max_length=200, blank=True)
    run_id = models.UUIDField(null=True)
    busy_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name} on {self.host} ({self.pid})"
