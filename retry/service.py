"""Every verb of the product: what admin, API, commands and the dispatcher call.

They parse their input, find out who acts, and call one of these; the verbs decide. Each verb checks
the actor's permission, changes what it changes in one transaction together with its audit row, and
hands work to the broker after the commit.

Entries
    ``retry_entries`` ``retry_entry`` ``retry_entries_now`` ``retry_entry_now`` ``resync_entries``
    ``resync_entry`` ``stop_retrying`` ``stop_retrying_entry`` ``edit_and_retry``
    ``discard_entries`` ``discard_entry`` ``restore_entries`` ``restore_entry``
Entries from outside
    ``submit`` ``submit_patches`` ``request_import`` ``confirm_import`` ``request_sync``
    ``sync_source`` ``export_entries``
Operations
    ``start_operation`` ``pause_operation`` ``resume_operation`` ``cancel_operation``
    ``retry_failed`` ``undo_repair``
Holds
    ``hold_kind`` ``hold_source`` ``lift_hold``
API tokens
    ``create_token`` ``revoke_tokens``
For the system, without a permission
    ``submit_entries`` ``wake_entries`` ``trip_breaker`` ``request_due_syncs`` ``fail_lost_syncs``
    ``repeat_lost_imports`` ``derive_upstreams`` ``index_entries``
"""

from retry.access.tokens import create as create_token
from retry.access.tokens import revoke as revoke_tokens
from retry.corrections import edit_and_retry
from retry.exports import begin_export as export_entries
from retry.holds.control import hold_kind, hold_source
from retry.holds.control import lift as lift_hold
from retry.holds.control import trip as trip_breaker
from retry.imports.control import confirm_import, repeat_lost_imports, request_import
from retry.operations.control import cancel as cancel_operation
from retry.operations.control import pause as pause_operation
from retry.operations.control import resume as resume_operation
from retry.operations.control import retry_failed, undo_repair
from retry.operations.control import start as start_operation
from retry.retries import (
    discard_entries,
    discard_entry,
    restore_entries,
    restore_entry,
    resync_entries,
    resync_entry,
    retry_entries,
    retry_entries_now,
    retry_entry,
    retry_entry_now,
    stop_retrying,
    stop_retrying_entry,
    submit_entries,
    wake_entries,
)
from retry.submission import submit, submit_patches
from retry.syncs.control import fail_lost_syncs, request_due_syncs, request_sync, sync_source
from retry.upkeep import derive_upstreams, index_entries

__all__ = [
    "cancel_operation",
    "confirm_import",
    "create_token",
    "derive_upstreams",
    "discard_entries",
    "discard_entry",
    "edit_and_retry",
    "export_entries",
    "fail_lost_syncs",
    "hold_kind",
    "hold_source",
    "index_entries",
    "lift_hold",
    "pause_operation",
    "repeat_lost_imports",
    "request_due_syncs",
    "request_import",
    "request_sync",
    "restore_entries",
    "restore_entry",
    "resume_operation",
    "resync_entries",
    "resync_entry",
    "retry_entries",
    "retry_entries_now",
    "retry_entry",
    "retry_entry_now",
    "retry_failed",
    "revoke_tokens",
    "start_operation",
    "stop_retrying",
    "stop_retrying_entry",
    "submit",
    "submit_entries",
    "submit_patches",
    "sync_source",
    "trip_breaker",
    "undo_repair",
    "wake_entries",
]
