"""Where entries come from."""

from typing import Any, ClassVar

from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import ProtectedError
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from entries.text import visible

#: The kind of the one source that deliveries of notices belong to. It cannot be chosen for a
#: source, outcomes of its entries are not counted, and what they say may be about every source.
NOTICE_SOURCE_KIND = "notices"


class Source(models.Model):
    """Where entries come from; can be synced."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField("kind of source", max_length=50, db_comment="name of a source kind")
    location = models.CharField(max_length=2000, help_text=_("an address or a path"))
    options = models.JSONField(default=dict, blank=True)
    entry_kind = models.CharField(
        "kind of its entries",
        max_length=50,
        default="page",
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9_-]*$")],
    )
    enabled = models.BooleanField(default=True)
    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=200, blank=True, editable=False)
    last_synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    sync_interval = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(10)],
        help_text=_("seconds between two automatic syncs; empty: only on request"),
    )
    next_sync_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    groups = models.ManyToManyField(
        Group,
        blank=True,
        related_name="+",
        help_text=_(
            "Only members of these groups see the source and what comes from it. Without a group "
            "everyone who may see entries does."
        ),
    )

    class Meta:
        ordering: ClassVar = ["slug"]
        permissions: ClassVar = [
            ("sync_source", gettext_noop("Can sync a source")),
            ("view_all_sources", gettext_noop("Can see every source, whatever its groups")),
        ]

    def __str__(self) -> str:
        return visible(self.name) or self.slug

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and reset what the old values have determined.

        A new location resets the HTTP validators, or a new server could answer "not modified". A
        new interval resets the time of the next sync, and the dispatcher requests one at once.
        """
        known = Source.objects.filter(pk=self.pk).values("kind", "location", "sync_interval")
        reset: set[str] = set()
        if (before := known.first()) is not None:
            if before["kind"] != self.kind or before["location"] != self.location:
                self.etag = self.last_modified = ""
                reset |= {"etag", "last_modified"}
            if before["sync_interval"] != self.sync_interval:
                self.next_sync_at = None
                reset.add("next_sync_at")
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], *reset}
        super().save(*args, **kwargs)


@receiver(pre_delete, sender=Group)
def _keep_group(instance: Group, **_: Any) -> None:
    """Refuse to delete a group of sources: a source without groups would be open to all."""
    belonging = Source.objects.filter(groups=instance)
    if belonging.exists():
        words = f"Sources belong to the group {instance.name}: give them another one first."
        raise ProtectedError(words, set(belonging))
