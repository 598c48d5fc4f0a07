"""What was asked for and handed to workers, and who asked: runs, syncs, holds, audit, tokens."""

from retry.models.heartbeat import Heartbeat
from retry.models.holds import Hold
from retry.models.people import ApiToken, AuditEvent
from retry.models.syncs import Sync, SyncState
from retry.models.tallies import OutcomeTally
from retry.models.work import (
    BY_NO_WORKER,
    Action,
    Operation,
    OperationState,
    Run,
    RunState,
    Trigger,
)

__all__ = [
    "BY_NO_WORKER",
    "Action",
    "ApiToken",
    "AuditEvent",
    "Heartbeat",
    "Hold",
    "Operation",
    "OperationState",
    "OutcomeTally",
    "Run",
    "RunState",
    "Sync",
    "SyncState",
    "Trigger",
]
