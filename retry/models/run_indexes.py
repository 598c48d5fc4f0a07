"""The indexes of the table of runs, each for a question that is asked all the time.

Every claim and every end of a run writes those that have it: one that few rows are in costs least.
"""

from uuid import UUID

from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

#: What an index has in place of NULL.
_NO_OPERATION = Value(UUID(int=0), output_field=models.UUIDField())
_NO_SOURCE = Value(0, output_field=models.BigIntegerField())

RUN_INDEXES = [
    # The dispatcher reads it on every tick; few rows at any time.
    models.Index(
        fields=["state", "lease_expires_at"],
        name="run_unsettled",
        condition=Q(state__in=["planned", "queued", "running"]),
    ),
    # Which run has waited longest in a queue; few rows at any time.
    models.Index(
        fields=["queue", "dispatched_at"], name="run_waiting", condition=Q(state="queued")
    ),
    models.Index(fields=["-created_at"], name="run_newest"),
    # Whose reasons a search looks at; runs of operations are found by theirs.
    models.Index(
        fields=["-created_at"],
        name="run_reason",
        condition=Q(operation__isnull=True) & ~Q(reason=""),
    ),
    models.Index(
        fields=["operation", "position"],
        name="run_operation",
        condition=Q(operation__isnull=False),
    ),
    # What is left of an operation, and its next run in each state, however many have ended.
    models.Index(
        fields=["operation", "state", "position"],
        name="run_open",
        condition=Q(operation__isnull=False, state__in=["planned", "queued", "running"]),
    ),
    # An operation's last outcomes.
    models.Index(
        fields=["operation", "started_at"],
        name="run_begun",
        condition=Q(operation__isnull=False, started_at__isnull=False),
    ),
    # What waits in PostgreSQL, in groups of which either all may begin or none; few rows at
    # any time, unless much is on hold.
    models.Index(
        Coalesce("operation_id", _NO_OPERATION),
        F("kind"),
        F("upstream"),
        Coalesce("source_id", _NO_SOURCE),
        F("probe"),
        F("created_at"),
        F("position"),
        name="run_unsent",
        condition=Q(state="queued", dispatched_at__isnull=True),
    ),
    # What waits for an upstream, and all that waits for any.
    models.Index(
        fields=["kind", "upstream"],
        name="run_upstream",
        condition=Q(state="queued") & ~Q(upstream=""),
    ),
    models.Index(
        fields=["id"], name="run_upstreams", condition=Q(state="queued") & ~Q(upstream="")
    ),
    # The few of an operation that are tried first.
    models.Index(fields=["operation"], name="run_canary", condition=Q(canary=True)),
]
