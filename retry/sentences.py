"""Sentences that this product writes into rows, and pages show in their own language."""

from entries import sentences  # noqa: F401 - pages that know ours know those
from entries.phrases import Sentence

# --- why an operation paused or was cancelled -----------------------------------------------------

CANARY_FAILED = Sentence("Canary: %(failed)s of %(total)s failed, limit %(limit)s")
STEP_FAILED = Sentence("Step of %(size)s: %(failed)s of %(total)s failed, limit %(limit)s")
LIMIT_REACHED = Sentence("%(failed)s of %(total)s failed, limit %(limit)s")
REJECTED = Sentence("Rejected.")
REJECTED_BECAUSE = Sentence("Rejected: %(reason)s")

# --- why a hold was put, or lifted ----------------------------------------------------------------

UPSTREAM_FAILS = Sentence(
    "%(transient)s of the last %(total)s outcomes failed with a transient error"
)
UPSTREAM_FAILS_MOSTLY = Sentence(
    "%(transient)s of the last %(total)s outcomes failed with a transient error, most: %(message)s"
)
PROBE_SUCCEEDED = Sentence("a probe succeeded")
PROBE_ANSWERED = Sentence("a probe failed, but not with a transient error")
NOTHING_WAITED = Sentence("nothing has waited for it")
HOLD_ENDED = Sentence("Its end had come.")

# --- reasons of what the dispatcher does, and of a proof ------------------------------------------

MUTE_ENDED = Sentence("its time is over")
FIXED = Sentence("Fixed, prove it")
EVERY = Sentence("every %(seconds)s s")
WORKER_SILENT = Sentence("worker %(worker)s stopped answering")
WORKER_ENDED = Sentence("worker %(worker)s ended in the middle")
WORKER_KILLED = Sentence("worker %(worker)s was killed by %(signal)s")
WORKER_STOPPED = Sentence(
    "worker %(worker)s was stopped: one of %(count)s entries that were under way took longer than "
    "its time limit and blocked the others"
)

# --- why a sync or an import failed, and what it noted --------------------------------------------

SYNC_LOST = Sentence(
    "The worker died or lost the database half-way. What was stored is kept; sync again "
    "for the rest."
)
IMPORT_LOST = Sentence("Several workers died during this import. What was stored is kept.")
INTERRUPTED = Sentence("It was interrupted; sync again for the rest.")
NOT_PERMITTED = Sentence("This needs the permission %(permission)s.")
FILE_REMOVED = Sentence("the file was removed; upload it again")
FILE_WITHOUT_ROWS = Sentence("there are no rows in the file")
COLUMNS_IGNORED = Sentence("Columns ignored because the file has a column payload: %(names)s")

# --- what is wrong with a row, behind the name of its member --------------------------------------

BLANK = Sentence("must not be blank")
TOO_LONG = Sentence("must have at most %(limit)s characters")
CONTROL_CHARACTERS = Sentence("must not contain control characters")
NOT_STORABLE = Sentence("cannot be stored: %(why)s")
NO_OBJECT = Sentence("must be a JSON object")
NOT_KNOWN = Sentence("holds something that JSON or PostgreSQL does not know, such as NUL")
NOT_JSON = Sentence("is not JSON: %(why)s")
REPEATED = Sentence("is the same as in line %(line)s")
