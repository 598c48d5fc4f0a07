"""What was requested, by whom, and what workers do about it: operations, runs, syncs, imports,
holds, error groups, audit, tokens, heartbeats, saved views, notices, and how attempts ended."""

from retry.models import names  # noqa: F401 - names them
from retry.models.error_groups import MOST_NAMES, ErrorGroup, GroupState
from retry.models.heartbeat import Heartbeat, WorkerHeartbeat, WorkerState
from retry.models.holds import Hold
from retry.models.imports import Import
from retry.models.intakes import Intake, SyncState
from retry.models.notices import (
    Notice,
    NoticeChannel,
    NoticeDelivery,
    NoticeEvent,
    Outage,
    Subscription,
    Withheld,
)
from retry.models.outcome_counts import (
    ALL_FAILURES,
    OutcomeCount,
    OutcomeFlush,
    OutcomeTotal,
    Span,
)
from retry.models.people import LEAST_AUDIT_DAYS, ApiToken, AuditEvent
from retry.models.retention import RetentionPass
from retry.models.states import (
    BY_NO_WORKER,
    CANARY_STATES,
    Action,
    OperationState,
    PauseCause,
    RunState,
    Trigger,
)
from retry.models.syncs import Sync
from retry.models.tallies import OutcomeTally
from retry.models.views import SavedView
from retry.models.work import Operation, Run

__all__ = [
    "ALL_FAILURES",
    "BY_NO_WORKER",
    "CANARY_STATES",
    "LEAST_AUDIT_DAYS",
    "MOST_NAMES",
    "Action",
    "ApiToken",
    "AuditEvent",
    "ErrorGroup",
    "GroupState",
    "Heartbeat",
    "Hold",
    "Import",
    "Intake",
    "Notice",
    "NoticeChannel",
    "NoticeDelivery",
    "NoticeEvent",
    "Operation",
    "OperationState",
    "Outage",
    "OutcomeCount",
    "OutcomeFlush",
    "OutcomeTally",
    "OutcomeTotal",
    "PauseCause",
    "RetentionPass",
    "Run",
    "RunState",
    "SavedView",
    "Span",
    "Subscription",
    "Sync",
    "SyncState",
    "Trigger",
    "Withheld",
    "WorkerHeartbeat",
    "WorkerState",
]
