"""What staff can do to entries and sources, and what they can read about it."""

from retry.admin.audit import AuditEventAdmin
from retry.admin.entry import RetryEntryAdmin
from retry.admin.hold import HoldAdmin
from retry.admin.operation import OperationAdmin
from retry.admin.run import RunAdmin
from retry.admin.source import SyncSourceAdmin
from retry.admin.sync import SyncAdmin
from retry.admin.token import ApiTokenAdmin
from retry.admin.transfer.pages import ImportAdmin

__all__ = [
    "ApiTokenAdmin",
    "AuditEventAdmin",
    "HoldAdmin",
    "ImportAdmin",
    "OperationAdmin",
    "RetryEntryAdmin",
    "RunAdmin",
    "SyncAdmin",
    "SyncSourceAdmin",
]
