"""Ids of RQ jobs, without a database. RQ allows letters, digits, ``_`` and ``-`` only.

No id is used twice, because the execution of an old job could overwrite or delete the newer job's
hash. The part of the run id makes it unique; the rest is for people who read Redis.
"""

from collections.abc import Sequence
from uuid import UUID


def run_job_id(run_id: UUID, *, entries: Sequence[tuple[int, int]]) -> str:
    """Name the job of a run over ``entries``, each an entry id and its attempt."""
    if len(entries) == 1:
        entry_id, attempt = entries[0]
        return f"entry-{entry_id}-{attempt}-{run_id.hex[:8]}"
    return f"run-{len(entries)}-{run_id.hex[:16]}"


def operation_job_id(run_id: UUID, *, operation_id: UUID, position: int) -> str:
    return f"operation-{operation_id}-{position}-{run_id.hex[:8]}"


def dispatch_job_id(job_id: str, *, dispatches: int) -> str:
    """Name the job that hands a run over after it was handed over ``dispatches`` times."""
    return job_id if dispatches == 0 else f"{job_id}-{dispatches}"


def sync_job_id(slug: str, *, token: UUID) -> str:
    return f"sync-{slug}-{token.hex[:8]}"


def import_job_id(import_id: UUID, *, token: UUID) -> str:
    return f"import-{import_id}-{token.hex[:8]}"
