"""Every permission that a verb, a page or an address needs, by name.

Verbs check with ``actor.require(RETRY_ENTRY)``; what a page leaves out asks ``actor.may`` or
``user.has_perm`` with the same constant.
"""

from collections.abc import Mapping
from typing import Final

from entries.permissions import (
    CHANGE_ENTRY,
    DISCARD_ENTRY,
    EXPORT_ENTRY,
    RESYNC_ENTRY,
    RETRY_ENTRY,
    SUBMIT_ENTRY,
    SYNC_SOURCE,
    VIEW_ALL_SOURCES,
    VIEW_ENDPOINT,
    VIEW_ENTRY,
    VIEW_PAYLOAD,
    VIEW_SOURCE,
)
from retry.models import Action

__all__ = [
    "ADD_TOKEN",
    "APPROVE_OPERATION",
    "CHANGE_ENTRY",
    "DELETE_TOKEN",
    "DISCARD_ENTRY",
    "EXPORT_ENTRY",
    "ISSUE_TOKEN",
    "MANAGE_ERROR_GROUP",
    "MANAGE_HOLD",
    "OPERATE",
    "RESYNC_ENTRY",
    "RETRY_ENTRY",
    "SHARE_VIEW",
    "SUBMIT_ENTRY",
    "SUBSCRIBE_ALL",
    "SYNC_SOURCE",
    "VIEW_ALL_SOURCES",
    "VIEW_AUDIT",
    "VIEW_ENDPOINT",
    "VIEW_ENTRY",
    "VIEW_ERROR_GROUP",
    "VIEW_HOLD",
    "VIEW_METRICS",
    "VIEW_NOTICE",
    "VIEW_OPERATION",
    "VIEW_PAYLOAD",
    "VIEW_RUN",
    "VIEW_SOURCE",
    "VIEW_STATUS",
    "VIEW_SYNC",
    "VIEW_TOKEN",
]

VIEW_OPERATION: Final = "retry.view_operation"
APPROVE_OPERATION: Final = "retry.approve_operation"
VIEW_RUN: Final = "retry.view_run"
VIEW_SYNC: Final = "retry.view_sync"
VIEW_HOLD: Final = "retry.view_hold"
MANAGE_HOLD: Final = "retry.manage_hold"
VIEW_ERROR_GROUP: Final = "retry.view_errorgroup"
MANAGE_ERROR_GROUP: Final = "retry.manage_errorgroup"
SHARE_VIEW: Final = "retry.share_savedview"
SUBSCRIBE_ALL: Final = "retry.subscribe_all"
VIEW_NOTICE: Final = "retry.view_notice"
VIEW_STATUS: Final = "retry.view_status"
VIEW_METRICS: Final = "retry.view_metrics"
VIEW_AUDIT: Final = "retry.view_auditevent"
ADD_TOKEN: Final = "retry.add_apitoken"  # noqa: S105 - the name of a permission
#: To make tokens for others; ``ADD_TOKEN`` is for one's own.
ISSUE_TOKEN: Final = "retry.issue_apitoken"  # noqa: S105 - the name of a permission
VIEW_TOKEN: Final = "retry.view_apitoken"  # noqa: S105 - the name of a permission
DELETE_TOKEN: Final = "retry.delete_apitoken"  # noqa: S105 - the name of a permission

#: What an operation needs, to be started and to be steered.
OPERATE: Mapping[Action, str] = {
    Action.RETRY: RETRY_ENTRY,
    Action.RESYNC: RESYNC_ENTRY,
    Action.RETRY_NOW: RETRY_ENTRY,
    Action.STOP: RETRY_ENTRY,
    Action.DISCARD: DISCARD_ENTRY,
    Action.RESTORE: DISCARD_ENTRY,
    Action.REPAIR: CHANGE_ENTRY,
    Action.UNDO: CHANGE_ENTRY,
}
