"""Writing outcomes: fenced, counted on the run, and over a restart of PostgreSQL."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from django.db import transaction

from entries import transitions
from entries.states import EntryStatus
from entries.transitions import Outcome
from retry import outcome_counts as tallies
from retry.models import Run
from retry.runs.lifecycle import OutcomeCounts, count_outcomes
from retry.worker.patience import outlast

logger = logging.getLogger(__name__)


def record(
    run: Run, endings: Sequence[Outcome], *, worker: str, give_up: Callable[[], bool] | None = None
) -> None:
    """Store outcomes, count them on the run and tell the breaker, in one transaction; what the
    fence rejected is only logged. Waits for PostgreSQL until it may ``give_up``; for ever without.
    """
    # Work that is done must not be redone: it is kept until PostgreSQL has it or the fence refuses.
    patience = {"give_up": give_up} if give_up is not None else {}
    written = outlast(_Write(run, endings, worker=worker), **patience)
    # One line an entry, except where thousands a second go by.
    level = logging.INFO if len(endings) == 1 else logging.DEBUG
    for ending in endings:
        fields = {"entry_id": ending.entry_id, "status": ending.status.value}
        if ending.entry_id in written:
            logger.log(level, "entry.finished", extra=fields)
        else:
            logger.warning("entry.outcome_rejected", extra=fields)


def _counted(endings: Iterable[Outcome]) -> OutcomeCounts:
    kept = list(endings)
    by_status = Counter(ending.status for ending in kept)
    return OutcomeCounts(
        succeeded=by_status[EntryStatus.SUCCEEDED],
        failed=by_status[EntryStatus.FAILED],
        scheduled=by_status[EntryStatus.SCHEDULED],
        transient=sum(ending.transient for ending in kept),
    )


class _Write:
    """Writes outcomes; called again, it finds those it had written although nobody heard of it."""

    def __init__(self, run: Run, endings: Sequence[Outcome], *, worker: str) -> None:
        self._run = run
        self._endings = endings
        self._worker = worker
        self._called = False

    def __call__(self) -> set[int]:
        again, self._called = self._called, True
        with transaction.atomic():
            if self._run.size > 1:
                # In the order of a rescue: the run before its entries.
                Run.objects.select_for_update(no_key=True).filter(pk=self._run.pk).exists()
            written = transitions.finish(self._endings, run_id=self._run.id)
            self._count([ending for ending in self._endings if ending.entry_id in written])
        if again:
            ids = [ending.entry_id for ending in self._endings]
            written |= transitions.find_finished(ids, run_id=self._run.id)
        return written

    def _count(self, kept: Sequence[Outcome]) -> None:
        if self._run.size > 1:  # who watches an operation sees what a long run has come to so far
            count_outcomes(self._run, _counted(kept), worker=self._worker)
        tallies.append(self._run, kept)
