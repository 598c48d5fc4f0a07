"""Lists of entries that people keep under a name."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop


class SavedView(models.Model):
    """A filter of the list of entries, for its owner, or shared with all who see entries."""

    name = models.CharField(max_length=60)
    filter = models.JSONField(help_text=_("the data of an EntryFilter"))
    oldest_first = models.BooleanField(default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()
        permissions: ClassVar = [
            ("share_savedview", gettext_noop("Can share saved views of entries"))
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["owner", "name"], nulls_distinct=False, name="savedview_owner_name"
            ),
            models.CheckConstraint(
                condition=Q(owner__isnull=False) | Q(shared=True), name="savedview_for_somebody"
            ),
        ]

    def __str__(self) -> str:
        return self.name
