"""Operations, and the runs that workers process."""

from typing import ClassVar
from uuid import uuid4

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from entries.models import Source
from retry.models.run_indexes import RUN_INDEXES
from retry.models.states import Action, OperationState, PauseCause, RunState, Trigger


class Operation(models.Model):
    """A request in bulk; its planned runs hold the entries."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    action = models.CharField(max_length=10, choices=Action)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_label = models.CharField(max_length=150)
    request_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text=_("of what started it")
    )
    reason = models.CharField(max_length=500, blank=True)
    selection = models.JSONField(default=dict, help_text=_("the requested entries, as data"))
    selection_words = models.CharField(max_length=1000)
    repair = models.JSONField(null=True, help_text=_("what is changed in payloads, as data"))
    total = models.PositiveIntegerField(default=0)
    source_ids = ArrayField(
        models.BigIntegerField(),
        default=list,
        db_default=[],
        help_text=_("of its entries when they were frozen; 0: without a source"),
    )
    start_at = models.DateTimeField(null=True, help_text=_("nothing of it starts before"))
    rate_per_second = models.FloatField(null=True, blank=True)
    only_if_changed = models.BooleanField(
        default=False, db_default=False, help_text=_("a resync processes only what is new")
    )
    canary_size = models.PositiveIntegerField(default=0)
    canary_done = models.BooleanField(
        default=False, help_text=_("passed with all steps of the ramp, or overruled by a person")
    )
    canary_since = models.DateTimeField(
        null=True, help_text=_("when the present canary was drawn; empty: with the operation")
    )
    ramp = ArrayField(
        models.PositiveIntegerField(),
        default=list,
        db_default=[],
        help_text=_("entries in each step, the canary first; empty: no ramp"),
    )
    ramp_step = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("which of the steps is under way, from 0")
    )
    canary_overruled_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    max_failure_rate = models.FloatField(null=True, blank=True, help_text=_("0 to 1"))
    state = models.CharField(max_length=20, choices=OperationState, default=OperationState.PLANNED)
    decided_by = models.CharField(
        max_length=150,
        blank=True,
        default="",
        db_default="",
        help_text=_("approved or rejected it"),
    )
    decided_at = models.DateTimeField(null=True)
    pause_reason = models.CharField(max_length=300, blank=True)
    pause_cause = models.CharField(
        max_length=10, choices=PauseCause, blank=True, default="", db_default=""
    )
    idempotency_key = models.CharField(max_length=100, null=True)
    idempotency_digest = models.CharField(
        max_length=64, blank=True, db_default="", help_text=_("of the request with this key")
    )
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Pace and failure limit count from here: no burst makes up for a pause, and failures from
    # before it do not pause the operation again.
    resumed_at = models.DateTimeField(null=True)
    paced_entries = models.PositiveIntegerField(default=0, help_text=_("started since resumed_at"))

    class Meta:
        ordering: ClassVar = ["-created_at"]
        permissions: ClassVar = [
            ("approve_operation", gettext_noop("Can approve what others have requested"))
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["actor_label", "idempotency_key"], name="operation_idempotency_key"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OperationState.values), name="operation_state_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["created_at"],
                name="operation_open",
                condition=~Q(state="completed"),
            ),
            # What retention deletes next.
            models.Index(
                fields=["ended_at", "id"],
                name="operation_ended",
                condition=Q(ended_at__isnull=False),
            ),
            # How many one user has open; few at any time.
            models.Index(
                fields=["actor"],
                name="operation_open_of",
                condition=Q(state__in=["awaiting_approval", "planned", "running", "paused"]),
            ),
            # Whose reasons a search looks at.
            models.Index(fields=["-created_at"], name="operation_reason", condition=~Q(reason="")),
            # The last operation on an error group; few operations have one.
            models.Index(
                KeyTextTransform("fingerprint", KeyTransform("filter", "selection")),
                F("created_at").desc(),
                name="operation_group",
                condition=Q(selection__filter__has_key="fingerprint"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.selection_words}"

    @property
    def step_size(self) -> int:
        """How many entries the present canary, or step of the ramp, has; 0 without either."""
        return self.ramp[self.ramp_step] if self.ramp else self.canary_size

    @property
    def canary_state(self) -> str:
        """One of ``CANARY_STATES``."""
        if not self.canary_size:
            return "none"
        if self.canary_overruled_by:
            return "overruled"
        if self.canary_done:
            return "passed"
        if self.state == OperationState.CANCELLED:
            return "cancelled"
        # What ends without having passed had nothing left to pause.
        failed = self.pause_cause == PauseCause.CANARY or self.state == OperationState.COMPLETED
        return "failed" if failed else "under_way"


class Run(models.Model):
    """The entries handed to a worker together under one RQ job."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    operation = models.ForeignKey(
        Operation, null=True, on_delete=models.CASCADE, related_name="runs", db_index=False
    )
    position = models.PositiveIntegerField(default=0, help_text=_("within its operation"))
    trigger = models.CharField(max_length=12, choices=Trigger)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    actor_label = models.CharField(max_length=150)
    request_id = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text=_("empty in an operation")
    )
    reason = models.CharField(max_length=500, blank=True)
    kind = models.CharField(max_length=50)
    source = models.ForeignKey(
        Source, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    upstream = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        default="",
        help_text=_("that all its entries depend on, where it was on hold; empty: mixed"),
    )
    queue = models.CharField(max_length=50)
    resync = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("its entries are fetched from the source first"),
    )
    only_if_changed = models.BooleanField(default=False, db_default=False)
    probe = models.BooleanField(
        default=False, db_default=False, help_text=_("one entry, to see whether what is held works")
    )
    entry_ids = ArrayField(models.BigIntegerField())
    size = models.PositiveIntegerField(help_text=_("how many entry ids; sums need not read them"))
    state = models.CharField(max_length=10, choices=RunState, default=RunState.QUEUED)
    job_id = models.CharField(
        max_length=100, help_text=_("of the RQ job; later hand-overs append -<dispatches>")
    )
    dispatches = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    dispatched_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    lease_expires_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True)
    canary = models.BooleanField(default=False)
    skipped = models.JSONField(default=dict, help_text=_("reason -> entry ids"))
    skipped_counts = models.JSONField(default=dict, help_text=_("reason -> how many"))
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    scheduled = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text=_("not processed, because nothing had changed at the source"),
    )
    transient = models.PositiveIntegerField(
        default=0, db_default=0, help_text=_("failed or scheduled with a transient error")
    )
    lost = models.PositiveIntegerField(default=0)
    skipped_count = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    handed_on = models.PositiveIntegerField(
        default=0, help_text=_("given to another run, which counts them")
    )

    class Meta:
        permissions: ClassVar = [
            ("view_status", gettext_noop("Can see queues, workers and the dispatcher")),
            ("view_metrics", gettext_noop("Can read the metrics")),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(lease_expires_at__isnull=False),
                name="run_running_has_lease",
            ),
        ]
        indexes: ClassVar = RUN_INDEXES

    def __str__(self) -> str:
        return f"{self.trigger} of {len(self.entry_ids)} ({self.state})"
