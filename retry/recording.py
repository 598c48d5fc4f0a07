"""Writing outcomes: fenced, counted on the run, and over a restart of PostgreSQL."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

from entries import transitions
from entries.states import EntryStatus
from entries.transitions import Ending
from retry.models import Run
from retry.patience import outlast
from retry.runs import Counted, tally

logger = logging.getLogger(__name__)


def record(run: Run, endings: Sequence[Ending], *, worker: str) -> None:
    """Store outcomes and count them on the run; what the fence rejected is only logged."""
    # Work that is done must not be redone: it is kept until PostgreSQL has it or the fence refuses.
    written = outlast(_Finish(endings, run_id=run.id))
    if run.size > 1:
        # An operation is watched, and the breaker looks at what a long run has come to so far.
        counted = _counted(ending for ending in endings if ending.entry_id in written)
        outlast(lambda: tally(run, counted, worker=worker))
    # One line an entry, except where thousands a second go by.
    level = logging.INFO if len(endings) == 1 else logging.DEBUG
    for ending in endings:
        fields = {"entry_id": ending.entry_id, "status": ending.status.value}
        if ending.entry_id in written:
            logger.log(level, "entry.finished", extra=fields)
        else:
            logger.warning("entry.outcome_rejected", extra=fields)


def _counted(endings: Iterable[Ending]) -> Counted:
    kept = list(endings)
    by_status = Counter(ending.status for ending in kept)
    return Counted(
        succeeded=by_status[EntryStatus.SUCCEEDED],
        failed=by_status[EntryStatus.FAILED],
        scheduled=by_status[EntryStatus.SCHEDULED],
        transient=sum(ending.transient for ending in kept),
    )


class _Finish:
    """Writes outcomes; called again, it finds those it had written although nobody heard of it."""

    def __init__(self, endings: Sequence[Ending], *, run_id: UUID) -> None:
        self._endings = endings
        self._run_id = run_id
        self._called = False

    def __call__(self) -> set[int]:
        again, self._called = self._called, True
        written = transitions.finish(self._endings, run_id=self._run_id)
        if again:
            ids = [ending.entry_id for ending in self._endings]
            written |= transitions.finished(ids, run_id=self._run_id)
        return written
