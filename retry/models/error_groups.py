"""Entries that failed alike, as people look at them."""

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from entries.fingerprints import write_status
from retry.models.work import Operation

#: Kinds and upstreams that a group names; of more it says so.
MOST_NAMES = 20


class GroupState(models.TextChoices):
    OPEN = "open", _("Open")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    MUTED = "muted", _("Muted")
    RESOLVED = "resolved", _("Resolved")
    REGRESSED = "regressed", _("Regressed")


class ErrorGroup(models.Model):
    """All entries that failed with one fingerprint, and what people say about them.

    The dispatcher writes what it has seen of them, once a second at most; a person's verbs write
    the rest. How many entries are failed is not here: it is counted when it is shown.
    """

    id = models.BigAutoField(primary_key=True)
    fingerprint = models.CharField(
        max_length=40, unique=True, help_text=_("begins with the version of the algorithm")
    )
    error_class = models.CharField(max_length=200)
    message = models.CharField(
        max_length=500, blank=True, help_text=_("without what varies from case to case")
    )
    kinds = ArrayField(models.CharField(max_length=50), default=list)
    upstreams = ArrayField(models.CharField(max_length=200), default=list)
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()
    failures = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text=_("attempts that ended so, since the group is known")
    )
    sample_entry_id = models.BigIntegerField(null=True)
    state = models.CharField(
        max_length=12, choices=GroupState, default=GroupState.OPEN, db_default=GroupState.OPEN
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    note = models.CharField(max_length=1000, blank=True, default="", db_default="")
    muted_until = models.DateTimeField(null=True)
    mute_above = models.PositiveIntegerField(
        null=True, help_text=_("failures after which it is open again, counted from mute_from")
    )
    mute_from = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text=_("failures when it was muted")
    )
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    resolved_operation = models.ForeignKey(
        Operation,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
        help_text=_("that proved it, and still named after a regression"),
    )
    regressed_at = models.DateTimeField(null=True)
    proof = models.OneToOneField(
        Operation,
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("under way to prove that it is fixed"),
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering: ClassVar = ["-last_seen", "-id"]
        permissions: ClassVar = [
            (
                "manage_errorgroup",
                gettext_noop("Can acknowledge, mute, resolve and reopen an error group"),
            )
        ]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(state__in=GroupState.values), name="group_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="muted")
                | Q(muted_until__isnull=False)
                | Q(mute_above__isnull=False),
                name="group_mute_ends",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["resolved", "regressed"]) | Q(resolved_at__isnull=False),
                name="group_resolved_has_time",
            ),
        ]
        indexes: ClassVar = [
            models.Index(F("last_seen").desc(), F("id").desc(), name="group_last_seen"),
            # Few rows: the dispatcher looks at them every second.
            models.Index(fields=["muted_until"], name="group_muted", condition=Q(state="muted")),
        ]

    def __str__(self) -> str:
        return f"{self.error_class}: {self.words}" if self.message else self.error_class

    @property
    def words(self) -> str:
        """The message as it is shown."""
        return write_status(self.message)
