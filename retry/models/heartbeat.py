"""Signs of life."""

from typing import ClassVar

from django.db import models


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
