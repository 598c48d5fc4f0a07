"""How attempts ended, in counts over time."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class _Outcomes(models.Model):
    """What is counted: attempts of one kind and source that succeeded or failed alike.

    ``fingerprint`` is empty for what succeeded. ``upstreams`` are some of those that failures
    depended on, and ``sample_entry_id`` is an entry that failed so. Sources and entries may be
    gone: they are not referenced.
    """

    kind = models.CharField(max_length=50)
    source_id = models.BigIntegerField(null=True)
    fingerprint = models.CharField(max_length=40, blank=True, db_default="")
    upstreams = ArrayField(models.CharField(max_length=200), db_default=[])
    count = models.PositiveIntegerField()
    sample_entry_id = models.BigIntegerField(null=True)

    class Meta:
        abstract = True


class OutcomeFlush(_Outcomes):
    """Outcomes that one worker has written together.

    Appended in the same transaction, never changed, and folded into ``OutcomeCount`` by the
    dispatcher a second later.
    """

    id = models.BigAutoField(primary_key=True)
    error_class = models.CharField(max_length=200, blank=True, db_default="")
    message = models.CharField(
        max_length=200, blank=True, db_default="", help_text=_("with what varies replaced")
    )
    at = models.DateTimeField(db_default=Now())
    lost = models.BooleanField(
        db_default=False, help_text=_("attempts that ended with their worker and are repeated")
    )
    seconds = models.FloatField(db_default=0.0, help_text=_("that processing took, together"))
    buckets = ArrayField(
        models.PositiveIntegerField(),
        db_default=[],
        help_text=_("how many took how long, by the bounds of retry.outcome_counts"),
    )

    def __str__(self) -> str:
        return f"{self.count} of {self.kind} {self.fingerprint or 'succeeded'}"


class Span(models.TextChoices):
    """How much time one count covers; the names are those of PostgreSQL's ``date_trunc``."""

    MINUTE = "minute", _("Minute")
    HOUR = "hour", _("Hour")
    DAY = "day", _("Day")


#: Stands for the fingerprints of all failures together.
ALL_FAILURES = "*"


class OutcomeCount(_Outcomes):
    """Outcomes of a minute, an hour or a day of UTC that begins ``at``.

    Old minutes become part of their hour, old hours of their day, so the sum over all rows of any
    time is the truth. A failure is counted twice: under its fingerprint, and under
    ``ALL_FAILURES``, so that plots need not read hundreds of errors.
    """

    count = models.PositiveBigIntegerField()
    id = models.BigAutoField(primary_key=True)
    span = models.CharField(max_length=6, choices=Span)
    at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["span", "at", "kind", "source_id", "fingerprint"],
                nulls_distinct=False,
                name="outcomecount_key",
            ),
            models.CheckConstraint(
                condition=Q(span__in=Span.values), name="outcomecount_span_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["fingerprint", "at"],
                name="outcomecount_alike",
                condition=~Q(fingerprint__in=["", ALL_FAILURES]),
            ),
            models.Index(
                fields=["span", "at"],
                name="outcomecount_total",
                condition=Q(fingerprint__in=["", ALL_FAILURES]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} of {self.kind} {self.fingerprint or 'succeeded'}, {self.span}"


class OutcomeTotal(models.Model):
    """All outcomes of a kind since they are counted; it only grows, whatever becomes of the counts.

    ``outcome``: succeeded, failed, or lost. ``retry.dispatcher.outcome_fold`` adds to it.
    """

    kind = models.CharField(max_length=50)
    outcome = models.CharField(max_length=10)
    count = models.PositiveBigIntegerField()
    seconds = models.FloatField(db_default=0.0)
    buckets = ArrayField(models.PositiveBigIntegerField(), db_default=[])

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "outcome"], name="outcometotal_key")
        ]

    def __str__(self) -> str:
        return f"{self.count} of {self.kind} {self.outcome}"
