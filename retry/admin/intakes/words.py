"""Sentences about syncs and imports."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from retry.models import Import, SyncState
from retry.models.intakes import Intake

_DRY_RUN: Mapping[str, Promise] = {
    SyncState.QUEUED.value: gettext_lazy("The dry run is queued."),
    SyncState.RUNNING.value: gettext_lazy("The dry run is running."),
    SyncState.SUCCEEDED.value: gettext_lazy("The dry run has succeeded."),
    SyncState.FAILED.value: gettext_lazy("The dry run has failed."),
}
_IMPORT: Mapping[str, Promise] = {
    SyncState.QUEUED.value: gettext_lazy("The import is queued."),
    SyncState.RUNNING.value: gettext_lazy("The import is running."),
    SyncState.SUCCEEDED.value: gettext_lazy("The import has succeeded."),
    SyncState.FAILED.value: gettext_lazy("The import has failed."),
}
_SYNC: Mapping[str, Promise] = {
    SyncState.QUEUED.value: gettext_lazy("The sync is queued."),
    SyncState.RUNNING.value: gettext_lazy("The sync is running."),
    SyncState.SUCCEEDED.value: gettext_lazy("The sync has succeeded."),
    SyncState.FAILED.value: gettext_lazy("The sync has failed."),
}


def describe_stage(row: Intake) -> str:
    """``The import has succeeded.``"""
    if row.dry_run:
        return str(_DRY_RUN[row.state])
    return str((_IMPORT if isinstance(row, Import) else _SYNC)[row.state])


def describe_wait(row: Intake) -> str:
    """Say what one that is queued waits for."""
    if row.dispatched:
        return _("Waiting for a worker.")
    return _("Redis cannot be reached. This starts by itself when Redis is back.")
