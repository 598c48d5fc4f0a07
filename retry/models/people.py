"""Who acted, and which scripts may act as a user: audit and tokens."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from retry.outcomes import Channel

#: The database deletes no younger event, whatever the settings say.
LEAST_AUDIT_DAYS = 30


class AuditEvent(models.Model):
    """One act, written in its transaction.

    The database refuses to change the row, and to delete it unless it is old and the statement of
    retention asks for it.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    verb = models.CharField(max_length=30)
    # No constraint: the event outlives the user, and the label keeps the name.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    actor_label = models.CharField(max_length=150)
    # Tokens of one name come after each other, and go with their user.
    token_id = models.BigIntegerField(
        null=True, help_text=_("of the API token that was sent; empty: none was")
    )
    token_label = models.CharField(max_length=100, blank=True, db_default="", default="")
    channel = models.CharField(max_length=10, choices=[(d.value, d.value) for d in Channel])
    request_id = models.CharField(max_length=64, blank=True)
    entry_id = models.BigIntegerField(null=True)
    run_id = models.UUIDField(null=True)
    source_id = models.BigIntegerField(null=True)
    operation_id = models.UUIDField(null=True)
    subject = models.CharField(
        max_length=100, blank=True, db_default="", help_text=_("what else was edited: app.model:pk")
    )
    count = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["entry_id", "-id"], name="audit_entry"),
            # For the histories of edited objects; single retries have no row in them.
            models.Index(
                fields=["source_id", "-id"],
                name="audit_source",
                condition=Q(source_id__isnull=False),
            ),
            models.Index(
                fields=["operation_id", "-id"],
                name="audit_operation",
                condition=Q(operation_id__isnull=False),
            ),
            models.Index(fields=["subject", "-id"], name="audit_subject", condition=~Q(subject="")),
            # Counts the recorded refusals of one user.
            models.Index(
                fields=["actor", "-id"], name="audit_refused", condition=Q(verb="refused")
            ),
        ]
        triggers: ClassVar = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                # retry/retention/audit.sql is the only place that has this setting, and has it for
                # one statement.
                func=(
                    "IF current_setting('redrive.audit_retention', true) = 'on'"
                    f" AND OLD.at < now() - interval '{LEAST_AUDIT_DAYS} days' THEN RETURN OLD;"
                    " END IF;"
                    " RAISE EXCEPTION 'Cannot delete rows from % table', TG_TABLE_NAME;"
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} by {self.actor_label}"


class ApiToken(models.Model):
    """Lets a script act as a user, or do some of what the user may do. Only the SHA-256 of the
    token is stored.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # Two arrays and no relations: they are read with the token, and a source that is deleted does
    # not widen what is left.
    scopes = ArrayField(
        models.CharField(max_length=20),
        null=True,
        help_text=_("of its user's rights it has those of these scopes; empty: all"),
    )
    source_ids = ArrayField(
        models.BigIntegerField(),
        null=True,
        help_text=_("there are no other entries for it than those of these sources; empty: all"),
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        permissions: ClassVar = [("issue_apitoken", gettext_noop("Can make API tokens for others"))]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "name"],
                name="token_name_per_user",
                condition=Q(revoked_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"
