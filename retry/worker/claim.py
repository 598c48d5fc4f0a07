"""A worker's claim on one run: what it reads and writes of that run in PostgreSQL.

Each verb is repeated until PostgreSQL answers, and is safe to repeat. Each write is fenced by the
run id or by the worker's name, so it changes nothing once the run was taken away.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, Self, TypeVar
from uuid import UUID, uuid4

from django.db import transaction

from entries import transitions
from entries.kinds.upstreams import depends_on_upstreams
from entries.models import Entry
from entries.states import EntryStatus
from entries.transitions import ClaimedEntry, Outcome
from retry import outcome_counts, signals
from retry.models import Run, Trigger
from retry.outcomes import Actor
from retry.runs.creation import create_runs, transfer_members
from retry.runs.detachment import detach_run
from retry.runs.handover import Handover
from retry.runs.hold_condition import find_held_upstreams
from retry.runs.lifecycle import (
    OutcomeCounts,
    claim_next,
    claim_run,
    count_outcomes,
    end_run,
    find_stopped,
)
from retry.worker.patience import ENDLESS, Patience
from retry.worker.resync import Reading, refresh

logger = logging.getLogger(__name__)

#: How often a worker asks whether its run has to stop: the question costs a query.
STOP_CHECK_SECONDS = 0.5

P = ParamSpec("P")
T = TypeVar("T")


def _patient(method: Callable[Concatenate["Claim", P], T]) -> Callable[Concatenate["Claim", P], T]:
    """Repeat a method until PostgreSQL answers."""

    @wraps(method)
    def repeat(claim: "Claim", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return claim.patience.ask(method, claim, *args, **kwargs)

    return repeat


class Claim:
    """A run that ``worker`` has claimed.

    ``rest`` are the ids of entries that were not taken yet. With endless patience everything that
    was processed is recorded, however long PostgreSQL is away.
    """

    def __init__(self, run: Run, *, worker: str, patience: Patience = ENDLESS) -> None:
        self.run = run
        self.worker = worker
        self.patience = patience
        self.rest: Sequence[int] = run.entry_ids
        self._checked = time.monotonic()
        self._tried: Sequence[Outcome] | None = None
        self._answer_lost = False

    @classmethod
    def request(cls, run_id: UUID, *, worker: str, patience: Patience) -> Self | None:
        """Claim a run; None where it cannot be claimed, and then its RQ job is used up.

        ``patience`` is for this statement only: after it there are outcomes to record.
        """
        run = patience.ask(claim_run, run_id, worker=worker)
        if run is None:
            patience.ask(detach_run, run_id)
            return None
        return cls(run, worker=worker)

    def request_next(
        self, *, patience: Patience, held: Sequence[UUID] = (), side_by_side: bool = False
    ) -> Self | None:
        """Claim the run that ``claim_next`` finds behind this one; None where there is none.

        ``held``: the other runs that this worker has.
        """

        def ask() -> Run | None:
            lost, self._answer_lost = self._answer_lost, True
            run = claim_next(
                self.run,
                worker=self.worker,
                held=held,
                side_by_side=side_by_side,
                answer_lost=lost,
            )
            self._answer_lost = False
            return run

        run = patience.ask(ask)
        return type(self)(run, worker=self.worker) if run is not None else None

    @_patient
    def is_stopped(self) -> bool:
        """Return whether the run is on hold, or its operation is paused or cancelled.

        Asks PostgreSQL every ``STOP_CHECK_SECONDS`` at most, and returns False in between.
        """
        if time.monotonic() - self._checked < STOP_CHECK_SECONDS:
            return False
        self._checked = time.monotonic()
        return bool(find_stopped([self.run.pk]))

    @_patient
    def take(self, ids: Sequence[int], *, reading: Reading | None = None) -> list[ClaimedEntry]:
        """Claim ``ids``, a part of ``rest``; return those to process, in the order of their ids.

        Not returned are entries that were taken away, those that depend on an upstream on hold,
        which stay queued, and in a resync those that ``refresh`` gives back.
        """
        held = find_held_upstreams(self.run.kind, probe=self.run.probe)
        entries = transitions.claim(ids, run_id=self.run.id, worker=self.worker, held=held)
        if reading is not None:
            entries = refresh(entries, reading, run=self.run, worker=self.worker)
            # The content that was just stored may depend on another upstream.
            if kept := [entry.id for entry in entries if entry.upstream in held]:
                transitions.release(kept, run_id=self.run.id)
                entries = [entry for entry in entries if entry.upstream not in held]
        if entries and self.run.trigger == Trigger.RESCUE:
            # Their last attempt was lost. If this one is lost as well, it counts.
            transitions.begin([entry.id for entry in entries], run_id=self.run.id)
        taken = set(ids)
        self.rest = [id_ for id_ in self.rest if id_ not in taken]
        return entries

    @_patient
    def put_back(self, ids: Sequence[int]) -> None:
        """Give back entries that were taken and have not begun."""
        transitions.release(ids, run_id=self.run.id)
        self.rest = sorted({*self.rest, *ids})

    @_patient
    def record(self, outcomes: Sequence[Outcome]) -> None:
        """Write outcomes and count them on the run and for history and breaker, in one transaction.

        Outcomes of entries that were taken away are logged and not written.
        """
        repeated, self._tried = self._tried is outcomes, outcomes
        counts = _count(outcomes)
        with transaction.atomic():
            if self.run.size > 1:  # so that an operation's progress shows what a long run has done
                # First, because a rescue locks the run before its entries: the same order avoids a
                # deadlock.
                count_outcomes(self.run, counts, worker=self.worker)
            written = transitions.finish(outcomes, run_id=self.run.id)
            recorded = [outcome for outcome in outcomes if outcome.entry_id in written]
            if self.run.size > 1 and len(recorded) < len(outcomes):
                taken_back = _count(recorded).minus(counts)
                count_outcomes(self.run, taken_back, worker=self.worker)
            outcome_counts.append(recorded, run=self.run)
        if repeated:  # an earlier try may have been committed although its answer was lost
            ids = [outcome.entry_id for outcome in outcomes]
            written |= transitions.find_finished(ids, run_id=self.run.id)
        _log(outcomes, written=written)
        signals.announce((o for o in outcomes if o.entry_id in written), run=self.run)

    @_patient
    def hand_on(self, *, held: bool) -> None:
        """Move the entries that were not taken to a new run; ``held``: it waits for the dispatcher.

        What ``take`` left queued, because it depends on an upstream on hold, goes to held runs.
        """
        if self.rest:
            self._transfer(self.rest, bulk=self.run.queue == "bulk", held=held)
        self.hand_on_held()

    def hand_on_held(self) -> int:
        """Move the entries that are still queued to held runs, one for each upstream.

        Returns the number of entries moved.
        """
        if not depends_on_upstreams(self.run.kind):
            return 0
        left: dict[str, list[int]] = defaultdict(list)
        queued = Entry.objects.filter(
            pk__in=self.run.entry_ids, run_id=self.run.pk, status=EntryStatus.QUEUED
        )
        for id_, upstream in queued.order_by("pk").values_list("pk", "upstream"):
            left[upstream].append(id_)
        return sum(
            self._transfer(ids, bulk=True, held=True, upstream=upstream)
            for upstream, ids in left.items()
        )

    def _transfer(self, ids: Sequence[int], *, bulk: bool, held: bool, upstream: str = "") -> int:
        new_run_id = uuid4()
        with transaction.atomic():
            moved = transitions.reassign(ids, run_id=self.run.id, new_run_id=new_run_id)
            runs = create_runs(
                transfer_members(self.run, moved, run_id=new_run_id, upstream=upstream),
                trigger=Trigger(self.run.trigger),
                actor=Actor.system(self.run.actor_label),
                reason=self.run.reason,
                bulk=bulk,
                parent=self.run,
                held=held,
            )
            if not held:
                Handover(runs)
        return len(moved)

    @_patient
    def end(self) -> bool:
        """Finish the run; False where it was taken away, or entries of it are still running."""
        return end_run(self.run, worker=self.worker)


def _count(outcomes: Sequence[Outcome]) -> OutcomeCounts:
    by_status = Counter(outcome.status for outcome in outcomes)
    return OutcomeCounts(
        succeeded=by_status[EntryStatus.SUCCEEDED],
        failed=by_status[EntryStatus.FAILED],
        scheduled=by_status[EntryStatus.SCHEDULED],
        transient=sum(outcome.transient for outcome in outcomes),
    )


def _log(outcomes: Sequence[Outcome], *, written: set[int]) -> None:
    # One line for each entry, except where thousands a second are recorded.
    level = logging.INFO if len(outcomes) == 1 else logging.DEBUG
    if len(written) == len(outcomes) and not logger.isEnabledFor(level):
        return
    for outcome in outcomes:
        fields = {"entry_id": outcome.entry_id, "status": outcome.status.value}
        if outcome.entry_id in written:
            logger.log(level, "entry.finished", extra=fields)
        else:
            logger.warning("entry.outcome_rejected", extra=fields)
