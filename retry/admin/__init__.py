"""What staff can do to entries and sources, and what they can read about it."""

from retry.admin.audit.log import AuditEventAdmin
from retry.admin.endpoints.admin import AuditedEndpointAdmin
from retry.admin.entries.changelist import RetryEntryAdmin
from retry.admin.holds.admin import HoldAdmin
from retry.admin.imports.admin import ImportAdmin
from retry.admin.operations.admin import OperationAdmin
from retry.admin.people.lockouts import AttemptAdmin, FailureAdmin, LogInAdmin
from retry.admin.people.tokens import ApiTokenAdmin
from retry.admin.people.users import PeopleAdmin, PersonAdmin
from retry.admin.runs.admin import RunAdmin
from retry.admin.sources.admin import SyncSourceAdmin
from retry.admin.syncs.admin import SyncAdmin

__all__ = [
    "ApiTokenAdmin",
    "AttemptAdmin",
    "AuditEventAdmin",
    "AuditedEndpointAdmin",
    "FailureAdmin",
    "HoldAdmin",
    "ImportAdmin",
    "LogInAdmin",
    "OperationAdmin",
    "PeopleAdmin",
    "PersonAdmin",
    "RetryEntryAdmin",
    "RunAdmin",
    "SyncAdmin",
    "SyncSourceAdmin",
]
