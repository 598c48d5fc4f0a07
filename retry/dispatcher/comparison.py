"""Which runs and syncs have to be handed over again; without a database or a clock."""

from collections.abc import Mapping
from dataclasses import dataclass

from retry.dispatcher.snapshot import Snapshot, WorkId


@dataclass(frozen=True, slots=True)
class Verdict:
    """``missing``: to be handed over again. ``suspects``: since when a run has had no job."""

    missing: tuple[WorkId, ...]
    suspects: Mapping[WorkId, float]


def compare(
    snapshot: Snapshot,
    *,
    suspects: Mapping[WorkId, float],
    now: float,
    absent_seconds: float,
    taken_seconds: float,
) -> Verdict:
    """Find the runs that have been queued, and in no list of Redis, for ``absent_seconds``.

    A run whose job a worker has taken without claiming the run gets ``taken_seconds``: the worker
    may be about to begin, or have died in between. Times are seconds of one monotonic clock.
    """
    missing = []
    absent = {}
    for run in snapshot.queued:
        if run.job_id in snapshot.waiting:
            continue
        since = suspects.get(run.id, now)
        patience = taken_seconds if run.job_id in snapshot.taken else absent_seconds
        if now - since >= patience:
            missing.append(run.id)
        else:
            absent[run.id] = since
    return Verdict(tuple(missing), absent)
