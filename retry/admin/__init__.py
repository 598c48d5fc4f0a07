"""What staff can do to entries and sources, and what they can read about it."""

from retry.admin.audit import AuditEventAdmin
from retry.admin.endpoint import AuditedEndpointAdmin
from retry.admin.entry import RetryEntryAdmin
from retry.admin.hold import HoldAdmin
from retry.admin.lockouts import AttemptAdmin, FailureAdmin, LogInAdmin
from retry.admin.operation import OperationAdmin
from retry.admin.people import PeopleAdmin, PersonAdmin
from retry.admin.run import RunAdmin
from retry.admin.source import SyncSourceAdmin
from retry.admin.sync import SyncAdmin
from retry.admin.token import ApiTokenAdmin
from retry.admin.transfer.pages import ImportAdmin

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
