"""What must not start at present."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from entries.models import Source


class Hold(models.Model):
    """While it is active, nothing of a kind, of one upstream of a kind, or of a source starts.

    ``automatic``: put by the breaker, which probes with single entries and lifts it itself.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=50, blank=True)
    upstream = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        default="",
        help_text=_("of the kind; empty: all"),
    )
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="holds")
    automatic = models.BooleanField(default=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_label = models.CharField(max_length=150)
    reason = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField(null=True, help_text=_("when the dispatcher lifts it"))
    lifted_at = models.DateTimeField(null=True)
    lifted_by = models.CharField(max_length=150, blank=True)
    lifted_reason = models.CharField(max_length=500, blank=True)
    probes = models.PositiveIntegerField(default=0)
    probe_run_id = models.UUIDField(null=True, help_text=_("the probe under way"))
    next_probe_at = models.DateTimeField(null=True)
    released = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("entries that went on in the ramp after it was lifted")
    )

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions: ClassVar = [
            ("manage_hold", gettext_noop("Can put a kind or source on hold and lift it"))
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(kind="") ^ Q(source__isnull=False), name="hold_of_one_thing"
            ),
            models.CheckConstraint(
                condition=Q(upstream="") | ~Q(kind=""), name="hold_upstream_of_a_kind"
            ),
            models.UniqueConstraint(
                fields=["kind", "upstream"],
                condition=Q(lifted_at__isnull=True) & ~Q(kind=""),
                name="hold_one_a_kind",
            ),
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(lifted_at__isnull=True) & Q(source__isnull=False),
                name="hold_one_a_source",
            ),
        ]
        indexes: ClassVar = [
            # Every claim and every page reads it; few rows at any time.
            models.Index(fields=["id"], name="hold_standing", condition=Q(lifted_at=None)),
            models.Index(
                fields=["lifted_at"], name="hold_lifted", condition=Q(lifted_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"hold on {' '.join(filter(None, (self.kind or str(self.source), self.upstream)))}"
