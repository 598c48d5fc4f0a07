"""Where webhooks are delivered."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from entries.encryption import SecretField
from entries.text import visible


class Endpoint(models.Model):
    """Where webhooks are delivered. Its secret can be set and is never shown."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200, blank=True)
    url = models.CharField(max_length=2000, help_text=_("http or https"))
    secret = SecretField(help_text=_("signs each delivery; whsec_…, see Standard Webhooks"))
    #: The secret before this one, which signs as well until ``previous_until``.
    previous_secret = SecretField(default="", db_default="", blank=True)
    previous_until = models.DateTimeField(null=True, blank=True)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return visible(self.name) or self.slug
