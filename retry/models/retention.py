"""How far retention has come."""

from typing import ClassVar

from django.conf import settings
from django.db import models


class RetentionPass(models.Model):
    """One rule of retention: the pass under way, and how the last one ended.

    A pass deletes what is older than ``cutoff``, batch by batch in the order of an index.
    ``cursor_at`` and ``cursor_id``: the row up to which that is done, in PostgreSQL's notation.
    ``removed``: what was deleted since ``began_at``, and ``last_removed`` in the pass that ended.
    ``actor_label`` and ``channel``: who began it, in whose name it is audited.
    """

    name = models.CharField(max_length=40, primary_key=True)
    began_at = models.DateTimeField(null=True)
    cutoff = models.DateTimeField(null=True)
    cursor_at = models.CharField(max_length=40, blank=True, default="")
    cursor_id = models.CharField(max_length=200, blank=True, default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    actor_label = models.CharField(max_length=150, blank=True, default="", db_default="")
    channel = models.CharField(max_length=10, blank=True, default="", db_default="")
    removed = models.PositiveBigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    last_removed = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions: ClassVar = ()

    def __str__(self) -> str:
        return self.name
