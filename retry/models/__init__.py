"""What was requested, by whom, and what workers do about it: operations, runs, syncs, imports,
holds, audit, tokens, heartbeats, saved views."""

from retry.models.heartbeat import Heartbeat, WorkerHeartbeat, WorkerState
from retry.models.holds import Hold
from retry.models.imports import Import
from retry.models.intakes import Intake, SyncState
from retry.models.people import ApiToken, AuditEvent
from retry.models.syncs import Sync
from retry.models.tallies import OutcomeTally
from retry.models.views import SavedView
from retry.models.work import (
    BY_NO_WORKER,
    Action,
    Operation,
    OperationState,
    PauseCause,
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
    "Import",
    "Intake",
    "Operation",
    "OperationState",
    "OutcomeTally",
    "PauseCause",
    "Run",
    "RunState",
    "SavedView",
    "Sync",
    "SyncState",
    "Trigger",
    "WorkerHeartbeat",
    "WorkerState",
]
