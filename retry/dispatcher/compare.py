"""Which runs and syncs have to be handed over again; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from retry.dispatcher.observe import Snapshot, WorkId


@dataclass(frozen=True, slots=True)
class Verdict:
    """``missing``: hand over again. ``suspects``: since when a run has looked odd."""

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
    """A run is missing when it has been queued, and in no list of Redis, for ``absent_seconds``.

    One whose job a worker has taken without claiming the run gets ``taken_seconds``: the worker
    may be starting, or have died in between. Times are seconds of one monotonic clock.
    """
    missing = []
    odd = {}
    for run in snapshot.queued:
        if run.job_id in snapshot.waiting:
            continue
        since = suspects.get(run.id, now)
        patience = taken_seconds if run.job_id in snapshot.taken else absent_seconds
        if now - since >= patience:
            missing.append(run.id)
        else:
            odd[run.id] = since
    return Verdict(tuple(missing), odd)
