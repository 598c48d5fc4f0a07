"""What operations and runs are for, and their states."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Trigger(models.TextChoices):
    SUBMIT = "submit", _("first try")
    RETRY = "retry", _("retry")
    BULK_RETRY = "bulk_retry", _("bulk retry")
    RESYNC = "resync", _("resync")
    AUTOMATIC = "automatic", _("automatic retry")
    RETRY_NOW = "retry_now", _("retry now")
    STOP = "stop", _("stop retrying")
    RESCUE = "rescue", _("rescue")
    DISCARD = "discard", _("discard")
    RESTORE = "restore", _("restore")
    REPAIR = "repair", _("repair")
    UNDO = "undo", _("undo of a repair")


#: Verbs that need no worker: their transaction completes them.
BY_NO_WORKER = (Trigger.STOP, Trigger.DISCARD, Trigger.RESTORE, Trigger.UNDO)


#: How the canary of an operation is, or its ramp.
CANARY_STATES = ("none", "under_way", "passed", "failed", "overruled", "cancelled")


class RunState(models.TextChoices):
    PLANNED = "planned", _("Planned")
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    FINISHED = "finished", _("Finished")
    CANCELLED = "cancelled", _("Cancelled")


class Action(models.TextChoices):
    RETRY = "retry", _("retry")
    RESYNC = "resync", _("resync")
    RETRY_NOW = "retry_now", _("retry now")
    STOP = "stop", _("stop retrying")
    DISCARD = "discard", _("discard")
    RESTORE = "restore", _("restore")
    REPAIR = "repair", _("repair and retry")
    UNDO = "undo", _("undo of a repair")

    @property
    def by_workers(self) -> bool:
        """Whether workers process its entries; other actions are complete once written."""
        return self in {Action.RETRY, Action.RESYNC, Action.RETRY_NOW, Action.REPAIR}

    @property
    def rewrites(self) -> bool:
        """Whether payloads are read and written as its runs are started."""
        return self in {Action.REPAIR, Action.UNDO}


class OperationState(models.TextChoices):
    AWAITING = "awaiting_approval", _("awaiting approval")
    PLANNED = "planned", _("Planned")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    COMPLETED = "completed", _("Completed")
    CANCELLED = "cancelled", _("Cancelled")


class PauseCause(models.TextChoices):
    """What paused an operation."""

    PERSON = "person", _("Person")
    CANARY = "canary", _("Canary")
    LIMIT = "limit", _("failure limit")
