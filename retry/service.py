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
    ``start_operation`` ``reschedule_operation`` ``pause_operation`` ``resume_operation``
    ``cancel_operation`` ``retry_failed`` ``undo_repair`` ``approve_operation``
    ``reject_operation``
Holds
    ``hold_kind`` ``hold_source`` ``lift_hold``
Error groups
    ``acknowledge_group`` ``note_group`` ``mute_group`` ``unmute_group`` ``resolve_group``
    ``reopen_group`` ``prove_group``
Saved views
    ``save_view`` ``rename_view`` ``delete_view``
Notices
    ``subscribe`` ``change_subscription`` ``unsubscribe`` ``send_test_notice``
API tokens
    ``create_token`` ``change_token`` ``revoke_tokens``
For the system, without a permission
    ``submit_entries`` ``enqueue_entries`` ``wake_entries`` ``trip_breaker`` ``lift_ended_holds``
    ``request_due_syncs`` ``fail_lost_syncs`` ``repeat_lost_imports``
    ``derive_upstreams`` ``index_entries`` ``recount_entries`` ``settle_proofs``
    ``unmute_due_groups`` ``prune`` ``prune_batch``
"""

from retry.access.tokens import change as change_token
from retry.access.tokens import create as create_token
from retry.access.tokens import revoke as revoke_tokens
from retry.corrections import edit_and_retry
from retry.error_groups.control import acknowledge as acknowledge_group
from retry.error_groups.control import mute as mute_group
from retry.error_groups.control import note as note_group
from retry.error_groups.control import reopen as reopen_group
from retry.error_groups.control import resolve as resolve_group
from retry.error_groups.control import unmute as unmute_group
from retry.error_groups.control import unmute_due_groups
from retry.error_groups.proof import prove as prove_group
from retry.error_groups.proof import settle_proofs
from retry.exports import begin_export as export_entries
from retry.first_attempts import enqueue_entries
from retry.holds.control import hold_kind, hold_source
from retry.holds.control import lift as lift_hold
from retry.holds.control import lift_ended as lift_ended_holds
from retry.holds.control import trip as trip_breaker
from retry.imports.control import confirm_import, repeat_lost_imports, request_import
from retry.notices.control import (
    change_subscription,
    send_test_notice,
    subscribe,
    unsubscribe,
)
from retry.operations.approval import approve as approve_operation
from retry.operations.approval import reject as reject_operation
from retry.operations.control import cancel as cancel_operation
from retry.operations.control import pause as pause_operation
from retry.operations.control import reschedule as reschedule_operation
from retry.operations.control import resume as resume_operation
from retry.operations.control import retry_failed, undo_repair
from retry.operations.control import start as start_operation
from retry.retention.control import prune, prune_batch
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
from retry.saved_views import delete_view, rename_view, save_view
from retry.submission import submit, submit_patches
from retry.syncs.control import fail_lost_syncs, request_due_syncs, request_sync, sync_source
from retry.upkeep import derive_upstreams, index_entries, recount_entries

__all__ = [
    "acknowledge_group",
    "approve_operation",
    "cancel_operation",
    "change_subscription",
    "change_token",
    "confirm_import",
    "create_token",
    "delete_view",
    "derive_upstreams",
    "discard_entries",
    "discard_entry",
    "edit_and_retry",
    "enqueue_entries",
    "export_entries",
    "fail_lost_syncs",
    "hold_kind",
    "hold_source",
    "index_entries",
    "lift_ended_holds",
    "lift_hold",
    "mute_group",
    "note_group",
    "pause_operation",
    "prove_group",
    "prune",
    "prune_batch",
    "recount_entries",
    "reject_operation",
    "rename_view",
    "reopen_group",
    "repeat_lost_imports",
    "request_due_syncs",
    "request_import",
    "request_sync",
    "reschedule_operation",
    "resolve_group",
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
    "save_view",
    "send_test_notice",
    "settle_proofs",
    "start_operation",
    "stop_retrying",
    "stop_retrying_entry",
    "submit",
    "submit_entries",
    "submit_patches",
    "subscribe",
    "sync_source",
    "trip_breaker",
    "undo_repair",
    "unmute_due_groups",
    "unmute_group",
    "unsubscribe",
    "wake_entries",
]
