"""Sources, entries and the attempts at them: what there is, not what can be done to it.

``Entry.status``, ``attempt``, ``run_id`` and what follows from them are written by
``entries.transitions`` alone. ``save()`` leaves them out, ``update()`` refuses them.
"""

from typing import Any, ClassVar

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from entries.content import content_hash
from entries.querysets import CONTENT_FIELDS, EntryQuerySet
from entries.states import AttemptStatus, EntryStatus
from entries.text import visible

#: Columns of Entry that belong to its transitions.
FENCED_FIELDS = frozenset(
    {
        "status",
        "attempt",
        "run_id",
        "next_attempt_at",
        "automatic_attempts",
        "error_class",
        "error_message",
        "fingerprint",
        "failed_at",
        "result",
        "status_changed_at",
    }
)


class Source(models.Model):
    """Where entries come from; can be synced."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField("kind of source", max_length=50, db_comment="name of a source kind")
    location = models.CharField(max_length=2000, help_text="an address or a path")
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
        help_text="seconds between two syncs by the dispatcher; empty: only when asked",
    )
    next_sync_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["slug"]
        permissions: ClassVar = [("sync_source", "Can sync a source")]

    def __str__(self) -> str:
        return visible(self.name) or self.slug

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Forget the validators of another place: a new server could answer "not modified". Forget
        when the next sync was due by another interval: the dispatcher begins the new one at once.
        """
        known = Source.objects.filter(pk=self.pk).values("kind", "location", "sync_interval")
        forgotten: set[str] = set()
        if (before := known.first()) is not None:
            if before["kind"] != self.kind or before["location"] != self.location:
                self.etag = self.last_modified = ""
                forgotten |= {"etag", "last_modified"}
            if before["sync_interval"] != self.sync_interval:
                self.next_sync_at = None
                forgotten.add("next_sync_at")
        if kwargs.get("update_fields") is not None:
            kwargs["update_fields"] = {*kwargs["update_fields"], *forgotten}
        super().save(*args, **kwargs)


class Entry(models.Model):
    """One unit of work."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.PROTECT, related_name="entries"
    )
    kind = models.CharField(max_length=50, db_comment="name of a registered kind")
    external_id = models.CharField(max_length=500)
    title = models.CharField(max_length=500, blank=True)
    payload = models.JSONField(default=dict, blank=True)
    content_hash = models.CharField(max_length=64, blank=True, editable=False)
    upstream = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        editable=False,
        help_text="what it depends on outside, as its kind says",
    )
    gone_at = models.DateTimeField(
        null=True, editable=False, help_text="since when its source has not had it"
    )
    status = models.CharField(max_length=12, default=EntryStatus.PENDING, editable=False)
    attempt = models.PositiveIntegerField(
        default=0, editable=False, help_text="number of the current attempt; 0 before the first"
    )
    run_id = models.UUIDField(null=True, editable=False, help_text="the fence")
    next_attempt_at = models.DateTimeField(null=True, editable=False)
    automatic_attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    error_class = models.CharField(max_length=200, blank=True, editable=False)
    error_message = models.CharField(max_length=500, blank=True, editable=False)
    fingerprint = models.CharField(max_length=40, blank=True, editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)
    result = models.JSONField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    status_changed_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        permissions: ClassVar = [
            ("retry_entry", "Can retry an entry"),
            ("resync_entry", "Can resync an entry"),
            ("discard_entry", "Can discard an entry and restore it"),
            ("submit_entry", "Can submit entries"),
            ("export_entry", "Can export entries"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "external_id"],
                nulls_distinct=False,
                name="entry_source_external_id",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in EntryStatus]),
                name="entry_status_known",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["queued", "running"]) | Q(run_id__isnull=False),
                name="entry_active_has_run",
            ),
            models.CheckConstraint(
                condition=~Q(status="failed") | (Q(failed_at__isnull=False) & ~Q(fingerprint="")),
                name="entry_failed_has_error",
            ),
            models.CheckConstraint(
                condition=~Q(status="scheduled") | Q(next_attempt_at__isnull=False),
                name="entry_scheduled_has_time",
            ),
        ]
        indexes: ClassVar = [
            # The desk's first page, and "failed since" in either direction.
            models.Index(
                F("failed_at").desc(),
                F("id").desc(),
                name="entry_failed",
                condition=Q(status="failed"),
            ),
            models.Index(
                fields=["fingerprint", "id"],
                name="entry_failed_group",
                condition=Q(status="failed"),
            ),
            # Few rows at any time, so cheap to keep: what is at work, and what is due.
            models.Index(
                fields=["status", "id"],
                name="entry_unsettled",
                condition=Q(status__in=["pending", "queued", "running"]),
            ),
            models.Index(
                fields=["next_attempt_at"], name="entry_due", condition=Q(status="scheduled")
            ),
            # What waits for an upstream that is on hold, and which of it is tried first.
            models.Index(
                fields=["kind", "upstream", "id"],
                name="entry_scheduled",
                condition=Q(status="scheduled"),
            ),
            models.Index(fields=["-id"], name="entry_gone", condition=Q(gone_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return visible(self.title) or visible(self.external_id) or "(no title)"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert, or update what people may edit: a stale instance cannot undo a transition.

        Where title or payload is written, the hash of both is, too.
        """
        if self._state.adding:
            self.content_hash = content_hash(self.title, self.payload)
        else:
            named = kwargs.get("update_fields")
            fenced = FENCED_FIELDS.intersection(named or ())
            if fenced:
                raise ValueError(f"{sorted(fenced)} are written by entries.transitions")
            if named is None:
                kwargs["update_fields"] = [
                    field.name
                    for field in self._meta.concrete_fields
                    if not field.primary_key and field.name not in FENCED_FIELDS
                ]
            self.updated_at = timezone.now()  # not the one that a stale instance brings along
            written = CONTENT_FIELDS.intersection(kwargs["update_fields"])
            if written:
                self._save_content(written, *args, **kwargs)
                return
        super().save(*args, **kwargs)

    def _save_content(self, written: frozenset[str], *args: Any, **kwargs: Any) -> None:
        """With the hash of what is stored then: the half that is not written may have changed since
        it was loaded, and does not change under the lock.
        """
        kwargs["update_fields"] = {*kwargs["update_fields"], "content_hash"}
        with transaction.atomic():
            locked = Entry.objects.select_for_update(no_key=True).filter(pk=self.pk)
            stored = locked.values(*CONTENT_FIELDS).first() or {}
            stored |= {name: getattr(self, name) for name in written}
            if stored.keys() == CONTENT_FIELDS:
                self.content_hash = content_hash(stored["title"], stored["payload"])
            super().save(*args, **kwargs)


class Endpoint(models.Model):
    """Where webhooks are delivered. The secret is written and never shown."""

    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200, blank=True)
    url = models.CharField(max_length=2000, help_text="http or https")
    secret = models.CharField(
        max_length=200, help_text="whsec_… as Standard Webhooks has it; signs each delivery"
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering: ClassVar = ["slug"]

    def __str__(self) -> str:
        return visible(self.name) or self.slug


class Attempt(models.Model):
    """One try at one entry."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(
        Entry, on_delete=models.CASCADE, related_name="attempts", db_index=False
    )
    number = models.PositiveIntegerField()
    run_id = models.UUIDField()
    status = models.CharField(max_length=12, default=AttemptStatus.QUEUED)
    previous_status = models.CharField(max_length=12, help_text="the entry's, before this attempt")
    queued_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    error_class = models.CharField(max_length=200, blank=True)
    error_message = models.CharField(max_length=500, blank=True)
    traceback = models.TextField(blank=True)
    fingerprint = models.CharField(max_length=40, blank=True)
    result = models.JSONField(null=True)
    is_rescan = models.BooleanField(
        db_default=False, help_text="an earlier attempt at the entry had begun"
    )
    change = models.CharField(
        max_length=10, blank=True, db_default="", help_text="what a resync found at the source"
    )
    hash_before = models.CharField(max_length=64, blank=True, db_default="")
    hash_after = models.CharField(max_length=64, blank=True, db_default="")
    transient = models.BooleanField(db_default=False, help_text="it failed by a passing fault")
    began = models.BooleanField(
        db_default=False, help_text="its processing is known to have begun, should it be lost"
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "number"], name="attempt_entry_number"),
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in AttemptStatus]),
                name="attempt_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} at entry {self.entry_id}"
