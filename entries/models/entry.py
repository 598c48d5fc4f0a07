"""The unit of work, and what may write to it.

``Entry.status``, ``attempt``, ``run_id`` and what follows from them are written by
``entries.transitions`` alone. ``save()`` leaves them out, ``update()`` refuses them.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from entries.content import content_hash
from entries.models import indexed, status_total
from entries.models.scope import EVERYTHING, NOTHING, Scope, find_sources
from entries.models.source import Source
from entries.permissions import VIEW_ENTRY
from entries.states import EntryStatus
from entries.text import visible

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

#: What an entry holds, and what its ``content_hash`` is made of.
CONTENT_FIELDS = frozenset({"title", "payload"})
#: Columns of Entry that belong to its transitions.
FENCED_FIELDS = frozenset(
    {
        "status",
        "attempt",
        "run_id",
        "worker",
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


class EntryQuerySet(models.QuerySet["Entry"]):
    #: What ``within`` has left of all entries.
    scope: Scope = EVERYTHING

    def update(self, **kwargs: Any) -> int:
        """Update as Django does; raise ``ValueError`` for a column of ``FENCED_FIELDS``.

        ``bulk_update`` and the managers of relations call this as well. Writing a title or a
        payload empties ``content_hash``, which would not match any more.
        """
        _refuse_fenced(kwargs)
        if CONTENT_FIELDS.intersection(kwargs):
            kwargs.setdefault("content_hash", "")
        return super().update(**kwargs)

    def bulk_create(self, objs: "Iterable[Entry]", *args: Any, **kwargs: Any) -> "list[Entry]":
        """Insert as Django does; raise ``ValueError`` for fenced ``update_fields``."""
        _refuse_fenced(kwargs.get("update_fields") or next(iter(args[3:4]), None) or ())
        objs = list(objs)
        for entry in objs:
            entry.content_hash = content_hash(entry.title, entry.payload)
        return super().bulk_create(objs, *args, **kwargs)

    def as_rows(self) -> Self:
        """Read them as rows of a list: with their sources, without their large columns."""
        return self.select_related("source").defer("payload", "result")

    def failed(self) -> Self:
        return self.filter(status=EntryStatus.FAILED)

    def visible_to(self, user: "AbstractBaseUser | AnonymousUser") -> Self:
        """Return the entries ``user`` may see, by permission and source."""
        has_perm = getattr(user, "has_perm", None)
        if has_perm is None or not has_perm(VIEW_ENTRY):
            return self.within(NOTHING)
        return self.within(find_sources(user))

    def within(self, scope: Scope) -> Self:
        """Return the entries of a scope."""
        if scope.is_empty:
            found = self.none()
        else:
            found = self.all() if scope.everything else self.filter(scope.condition())
        found.scope = self.scope.narrow(scope)
        return found

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone.scope = self.scope
        return clone


def _refuse_fenced(names: Iterable[str]) -> None:
    fenced = FENCED_FIELDS.intersection(names)
    if fenced:
        raise ValueError(f"{sorted(fenced)} are written by entries.transitions")


class Entry(models.Model):
    """One unit of work."""

    id = models.BigAutoField(primary_key=True)
    # The unique constraint has an index that begins with it; another one would be written by every
    # transition.
    source = models.ForeignKey(
        Source,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="entries",
        db_index=False,  # the unique constraint has one that begins with it
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
        help_text=_("what it depends on outside, derived by its kind"),
    )
    gone_at = models.DateTimeField(
        null=True, editable=False, help_text=_("since when its source has not had it")
    )
    # The database has the defaults of a pending entry: storing content names no status.
    status = models.CharField(
        max_length=12,
        default=EntryStatus.PENDING,
        db_default=EntryStatus.PENDING,
        editable=False,
    )
    attempt = models.PositiveIntegerField(
        default=0,
        db_default=0,
        editable=False,
        help_text=_("number of the current attempt; 0 before the first"),
    )
    run_id = models.UUIDField(null=True, editable=False, help_text=_("the fence"))
    worker = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("that has claimed it; empty unless it runs"),
    )
    next_attempt_at = models.DateTimeField(null=True, editable=False)
    automatic_attempts = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    error_class = models.CharField(
        max_length=200, blank=True, default="", db_default="", editable=False
    )
    error_message = models.CharField(
        max_length=500, blank=True, default="", db_default="", editable=False
    )
    fingerprint = models.CharField(
        max_length=40, blank=True, default="", db_default="", editable=False
    )
    failed_at = models.DateTimeField(null=True, editable=False)
    result = models.JSONField(null=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    status_changed_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = _("entries")
        triggers: ClassVar = [*indexed.TRIGGERS, *status_total.TRIGGERS]
        permissions: ClassVar = [
            ("retry_entry", gettext_noop("Can retry an entry")),
            ("resync_entry", gettext_noop("Can resync an entry")),
            ("discard_entry", gettext_noop("Can discard an entry and restore it")),
            ("submit_entry", gettext_noop("Can submit entries")),
            ("export_entry", gettext_noop("Can export entries")),
            ("view_payload", gettext_noop("Can see the payload of an entry")),
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
            # The first page of the admin, and "failed since" in either direction.
            models.Index(
                F("failed_at").desc(),
                F("id").desc(),
                name="entry_failed",
                condition=Q(status="failed"),
            ),
            # What people filter failures by, newest first. Only failing writes them.
            *(
                models.Index(
                    F(column),
                    F("failed_at").desc(),
                    F("id").desc(),
                    name=f"entry_failed_{name}",
                    condition=Q(status="failed"),
                )
                for column, name in (
                    ("fingerprint", "alike"),
                    ("error_class", "class"),
                    ("source", "source"),
                    ("kind", "kind"),
                    ("upstream", "upstream"),
                )
            ),
            # Few rows at any time, so cheap to keep: work in progress, and what is due.
            models.Index(
                fields=["status", "id"],
                name="entry_unsettled",
                condition=Q(status__in=["pending", "queued", "running"]),
            ),
            models.Index(
                fields=["next_attempt_at"], name="entry_due", condition=Q(status="scheduled")
            ),
            # What waits for an upstream that is on hold; a probe takes the first of it.
            models.Index(
                fields=["kind", "upstream", "id"],
                name="entry_scheduled",
                condition=Q(status="scheduled"),
            ),
            models.Index(fields=["-id"], name="entry_gone", condition=Q(gone_at__isnull=False)),
            models.Index(fields=["-id"], name="entry_discarded", condition=Q(status="discarded")),
        ]

    def __str__(self) -> str:
        return visible(self.title) or visible(self.external_id) or "(no title)"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert, or update what people may edit: a stale instance cannot undo a transition.

        Writing a title or a payload also writes the hash of both. Raises ``ValueError`` for
        ``update_fields`` that are fenced.
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
            self.updated_at = timezone.now()  # a stale instance has an old one
            written = CONTENT_FIELDS.intersection(kwargs["update_fields"])
            if written:
                self._save_content(written, *args, **kwargs)
                return
        super().save(*args, **kwargs)

    @property
    def is_deferred(self) -> bool:
        """Whether it waits for the time of its first attempt: nothing has failed."""
        return self.status == EntryStatus.SCHEDULED and not self.attempt

    def _save_content(self, written: frozenset[str], *args: Any, **kwargs: Any) -> None:
        # The field that is not written may have changed since it was loaded: read it under a lock.
        kwargs["update_fields"] = {*kwargs["update_fields"], "content_hash"}
        with transaction.atomic():
            locked = Entry.objects.select_for_update(no_key=True).filter(pk=self.pk)
            stored = locked.values(*CONTENT_FIELDS).first() or {}
            stored |= {name: getattr(self, name) for name in written}
            if stored.keys() == CONTENT_FIELDS:
                self.content_hash = content_hash(stored["title"], stored["payload"])
            super().save(*args, **kwargs)
