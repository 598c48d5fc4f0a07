"""The start of runs: their entries are queued, then their jobs handed over after the commit.

Clicks, wakes, probes and submits start entries in new runs; the pacing of operations starts runs
that were planned before. Both use the one statement of ``entries.transitions.queue``.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from entries import transitions
from entries.kinds import registry
from entries.sql import load, open_prepared_cursor
from entries.states import EntryStatus
from entries.transitions import QueueResult
from entries.transitions.queue import FRAGMENTS as QUEUEING
from entries.transitions.queue import build_parameters
from retry import audit
from retry.models import Action, Operation, Run, Trigger
from retry.outcomes import Actor
from retry.reasons import Reason, reason_for
from retry.runs import repairs
from retry.runs.handover import Handover
from retry.runs.hold_condition import FRAGMENTS as HOLDS
from retry.runs.job_ids import operation_job_id

_SQL = load(__file__, include={**QUEUEING, **HOLDS, **audit.FRAGMENTS})


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that was just created. ``dispatches`` is 0 where it is on hold and has no job."""

    id: UUID
    resync: bool
    kind: str
    queue: str
    job_id: str
    size: int
    dispatches: int


@dataclass(frozen=True, slots=True)
class Start:
    """What came of starting entries: a result for each, in id order, and their runs."""

    results: Sequence[QueueResult]
    runs: Mapping[UUID, NewRun]
    handover: Handover

    @property
    def queued(self) -> int:
        """How many entries were queued."""
        return sum(run.size for run in self.runs.values())

    @property
    def run_id(self) -> UUID | None:
        """The run, where there is only one."""
        return next(iter(self.runs)) if len(self.runs) == 1 else None


def start_entries(
    ids: Iterable[int],
    *,
    verb: str,
    trigger: Trigger,
    actor: Actor,
    reason: str,
    bulk: bool,
    audited: bool = True,
    only_if_changed: bool = False,
    probe: bool = False,
    ahead: bool = False,
) -> Start:
    """Queue the entries that ``verb`` allows, in new runs, and audit it unless the caller does.

    One statement: entries, attempts, runs and audit are written together. The runs are handed over
    after the caller's transaction, or at once where there is none. Runs that are on hold stay
    queued without a job. ``bulk`` keeps the runs out of the queue for clicks, ``ahead`` hands them
    over before what waits in their queue. A ``probe`` may begin in spite of the breaker's hold.
    ``wake`` passes over, and does not return, entries that another transaction has locked; it must
    be called in a transaction.
    """
    # No person waits for a wake: what is locked now is due at the next look as well.
    wanted = transitions.lock_free(ids) if verb == "wake" else ids
    parameters: dict[str, Any] = {
        **build_parameters(wanted, verb=verb),
        **audit.build_parameters(verb if audited else "", actor=actor, reason=reason),
        "trigger": trigger.value,
        **_list_kinds(),
        "bulk": bulk,
        "only_if_changed": only_if_changed,
        "probe": probe,
    }
    with open_prepared_cursor() as cursor:
        cursor.execute(_SQL["start_entries"], parameters)
        rows = cursor.fetchall()
    runs = {
        run_id: NewRun(run_id, verb == "resync", *run)
        for _, _, _, run_id, _, *run in rows
        if run_id is not None
    }
    results = [
        QueueResult(id_, EntryStatus(status), attempt, run_id, source_id)
        for id_, status, attempt, run_id, source_id, *_ in rows
    ]
    dispatched = [run for run in runs.values() if run.dispatches]
    return Start(results, runs, Handover(dispatched, ahead=ahead))


def _list_kinds() -> dict[str, list[Any]]:
    kinds = registry.all_kinds()
    return {
        "kinds": list(kinds),
        "sizes": [kind.run_size for kind in kinds.values()],
        "queues": [kind.queue for kind in kinds.values()],
        "bulk_queues": [kind.bulk_queue for kind in kinds.values()],
    }


def start_planned(operation: Operation, runs: Sequence[Run]) -> list[Run]:
    """Do the operation's action to the entries of locked, planned runs; return those that are to be
    handed over after the commit.

    Must be called in the transaction that has locked ``runs``. Each run records which of its
    entries were left alone, and why.
    """
    action = Action(operation.action)
    skipped: dict[UUID, dict[str, list[int]]] = {run.id: {} for run in runs}
    run_of_entry = {id_: run.id for run in runs if run.kind for id_ in run.entry_ids}
    for entry_id, reason in _act(operation, run_of_entry, action=action):
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
    return [run for run in runs if action.by_workers and totals[run.id] < run.size]


def _act(
    operation: Operation, run_of_entry: Mapping[int, UUID], *, action: Action
) -> Iterator[tuple[int, Reason]]:
    """Yield the entries left alone, with the reason."""
    verb = action.value
    if action is Action.REPAIR:
        yield from repairs.repair(operation, run_of_entry)
    elif action is Action.UNDO:
        yield from repairs.undo(operation, run_of_entry)
    elif action.by_workers:
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
