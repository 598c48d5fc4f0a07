"""Runs that continue another one, with entries that were taken from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.utils import timezone

from entries.kinds import registry
from retry.models import Run, Trigger
from retry.outcomes import Actor
from retry.runs.job_ids import run_job_id
from retry.runs.routing import choose_queue

#: What a run that continues another takes over from it.
_INHERITED = (
    *("operation_id", "request_id", "position", "canary", "created_at"),
    *("resync", "only_if_changed"),
)


@dataclass(frozen=True, slots=True)
class RunMember:
    """An entry that a transition has just moved into a run."""

    id: int
    kind: str
    attempt: int
    run_id: UUID
    source_id: int | None
    #: What all entries of the run depend on, where that is on hold.
    upstream: str = ""


def transfer_members(
    run: Run, attempts: Mapping[int, int], *, run_id: UUID, upstream: str = ""
) -> list[RunMember]:
    """Return entries of ``run`` that ``reassign`` has moved to another run, given as entry id ->
    attempt; all of one ``upstream`` where it is given.
    """
    return [
        RunMember(id_, run.kind, attempt, run_id, run.source_id, upstream or run.upstream)
        for id_, attempt in attempts.items()
    ]


def read_rescue_limits() -> dict[str, int]:
    """Return kind -> how often one of its entries may lose its worker before it fails."""
    return {name: kind.rescue_limit for name, kind in registry.all_kinds().items()}


def create_runs(
    members: Iterable[RunMember],
    *,
    trigger: Trigger,
    actor: Actor,
    reason: str,
    bulk: bool,
    parent: Run,
    held: bool = False,
    probe: bool = False,
) -> list[Run]:
    """Insert a run for each run id of the members, in the caller's transaction, and return them in
    the order of their entries. ``Handover`` hands them over.

    They continue ``parent``: they keep its queue, age, place, operation and resync. ``bulk`` runs
    go to the bulk queue, where no click waits behind them. ``held`` runs have no job yet and go to
    the bulk queue; the dispatcher hands them over later. A ``probe`` may begin although the breaker
    holds what it depends on.
    """
    now = timezone.now()
    inherited: dict[str, Any] = {name: getattr(parent, name) for name in _INHERITED}
    ordered = sorted(members, key=lambda item: (item.run_id, item.id))
    runs = []
    for run_id, group in groupby(ordered, key=lambda item: item.run_id):
        group_members = list(group)
        first = group_members[0]
        queue_name = parent.queue
        if bulk or held or probe:
            queue_name = choose_queue(first.kind, bulk=not probe)
        runs.append(
            Run(
                id=run_id,
                trigger=trigger,
                actor_id=actor.user_id,
                actor_label=actor.label,
                reason=reason[:500],
                kind=first.kind,
                source_id=first.source_id,
                upstream=first.upstream,
                probe=probe,
                queue=queue_name,
                entry_ids=[member.id for member in group_members],
                size=len(group_members),
                job_id=run_job_id(run_id, entries=[(m.id, m.attempt) for m in group_members]),
                dispatches=0 if held else 1,
                dispatched_at=None if held else now,
                **inherited,
            )
        )
    runs.sort(key=lambda run: run.entry_ids[0])
    Run.objects.bulk_create(runs)
    return runs
