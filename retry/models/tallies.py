"""Recent outcomes of an upstream, for the breaker."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class OutcomeTally(models.Model):
    """Outcomes that one worker has written together.

    Appended in the same transaction, never changed, and deleted by the dispatcher after some
    minutes. ``upstream`` is empty for kinds without upstreams. ``began_at``: when the run began.
    ``message``: that of the most frequent transient error.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=50)
    upstream = models.CharField(max_length=200, blank=True, db_default="")
    total = models.PositiveIntegerField()
    transient = models.PositiveIntegerField(
        help_text=_("failed or scheduled with a transient error")
    )
    message = models.CharField(max_length=200, blank=True, db_default="")
    began_at = models.DateTimeField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["kind", "upstream", "-id"], name="tally_newest"),
            models.Index(fields=["at"], name="tally_transient", condition=Q(transient__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.transient} of {self.total} of {self.kind} {self.upstream}"
