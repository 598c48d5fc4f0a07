"""The start of runs: their entries are queued, then their jobs handed over after the commit.

Clicks, wakes, probes and submits start entries in new runs; the pacing of operations starts runs
that were planned before. Both use the one statement of ``entries.transitions.queue``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from entries import transitions
from entries.sql import load
from entries.transitions import QueueResult
from retry.models import Action, Operation, Run, Trigger
from retry.outcomes import Actor
from retry.reasons import Reason, reason_for
from retry.runs.creation import RunMember, collect_members, create_runs, read_run_sizes
from retry.runs.handover import Handover
from retry.runs.hold_condition import find_active_holds
from retry.runs.job_ids import operation_job_id

_SQL = load(__file__)


@dataclass(frozen=True, slots=True)
class Start:
    """What came of starting entries: a result for each, the entries queued, and their runs."""

    results: Sequence[QueueResult]
    queued: Sequence[RunMember]
    runs: Sequence[Run]
    handover: Handover

    @property
    def previous_statuses(self) -> list[str]:
        """The statuses that the queued entries had."""
        return sorted({r.status.value for r in self.results if r.run_id and r.status})

    @property
    def entry_id(self) -> int | None:
        """The entry, where only one was queued."""
        return self.queued[0].id if len(self.queued) == 1 else None

    @property
    def run_id(self) -> UUID | None:
        """The run, where there is only one."""
        return self.runs[0].id if len(self.runs) == 1 else None


def start_entries(
    ids: Iterable[int],
    *,
    verb: str,
    trigger: Trigger,
    actor: Actor,
    reason: str,
    bulk: bool,
    only_if_changed: bool = False,
    probe: bool = False,
) -> Start:
    """Queue the entries that ``verb`` allows, in new runs.

    Must be called in a transaction, after which the runs are handed over. Runs that are on hold
    stay queued without a job. ``bulk`` keeps the runs out of the queue for clicks. A ``probe`` may
    begin in spite of the breaker's hold.
    """
    on_hold = find_active_holds()
    results = transitions.queue(
        ids, verb=verb, run_sizes=read_run_sizes(), held=sorted(on_hold.upstreams)
    )
    queued = collect_members(results)
    runs = create_runs(
        queued,
        trigger=trigger,
        actor=actor,
        reason=reason,
        bulk=bulk,
        resync=verb == "resync",
        only_if_changed=only_if_changed,
        probe=probe,
        on_hold=on_hold,
    )
    handover = Handover([run for run in runs if run.dispatches])
    return Start(results, queued, runs, handover)


def start_planned(operation: Operation, runs: Sequence[Run]) -> None:
    """Do the operation's action to the entries of locked, planned runs.

    Must be called in the transaction that has locked ``runs``, after which they are handed over.
    Each run records which of its entries were left alone, and why.
    """
    action = Action(operation.action)
    skipped: dict[UUID, dict[str, list[int]]] = {run.id: {} for run in runs}
    run_of_entry = {id_: run.id for run in runs if run.kind for id_ in run.entry_ids}
    for entry_id, reason in _act(run_of_entry, action=action):
        skipped[run_of_entry[entry_id]].setdefault(reason.value, []).append(entry_id)
    for run in runs:
        if not run.kind:  # missing when the selection was frozen, or hidden from its actor
            skipped[run.id][Reason.NOT_FOUND.value] = list(run.entry_ids)
        run.job_id = operation_job_id(run.id, operation_id=operation.pk, position=run.position)
    counts = {
        run_id: {reason: len(ids) for reason, ids in reasons.items()}
        for run_id, reasons in skipped.items()
    }
    totals = {run_id: sum(by_reason.values()) for run_id, by_reason in counts.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            _SQL["record_start"],
            {
                "settled": not action.by_workers,
                "ids": [run.id for run in runs],
                "skipped": [json.dumps(skipped[run.id]) for run in runs],
                "counts": [json.dumps(counts[run.id]) for run in runs],
                "skipped_counts": [totals[run.id] for run in runs],
                "job_ids": [run.job_id for run in runs],
            },
        )
    if action.by_workers:
        Handover([run for run in runs if totals[run.id] < run.size])


def _act(run_of_entry: Mapping[int, UUID], *, action: Action) -> Iterator[tuple[int, Reason]]:
    """Yield the entries left alone, with the reason."""
    verb = action.value
    if action.by_workers:
        run_ids = list(run_of_entry.values())
        for left in transitions.queue(run_of_entry, verb=verb, run_ids=run_ids):
            why = reason_for(left.status, verb=verb, has_source=left.source_id is not None)
            if why is not None:
                yield left.id, why
    else:
        for entry_id, status in transitions.move(run_of_entry, verb=verb).items():
            why = reason_for(status, verb=verb)
            if why is not None:
                yield entry_id, why
