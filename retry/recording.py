"""Writing outcomes: fenced, counted on the run, and over a restart of PostgreSQL."""

import logging
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections, transaction

from entries import transitions
from entries.states import EntryStatus
from entries.transitions import Ending
from retry import tallies
from retry.models import Run
from retry.runs import Counted, tally

logger = logging.getLogger(__name__)


def record(run: Run, endings: Sequence[Ending], *, worker: str) -> None:
    """Store outcomes, count them on the run and tell the breaker, in one transaction; what the
    fence rejected is only logged.
    """
    written = _finish(run, endings, worker=worker)
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


def _write(run: Run, endings: Sequence[Ending], *, worker: str) -> set[int]:
    with transaction.atomic():
        written = transitions.finish(endings, run_id=run.id)
        kept = [ending for ending in endings if ending.entry_id in written]
        if run.size > 1:  # who watches an operation sees what a long run has come to so far
            tally(run, _counted(kept), worker=worker)
        tallies.append(run, kept)
    return written


def _finish(run: Run, endings: Sequence[Ending], *, worker: str) -> set[int]:
    """Write outcomes, also over a restart of PostgreSQL: work that is done must not be redone.

    Raises ``OperationalError`` when the database stays away for longer than a lease lasts.
    """
    deadline = time.monotonic() + settings.REDRIVE_LEASE_SECONDS
    while True:
        try:
            return _write(run, endings, worker=worker)
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            logger.warning("run.database_away", extra={"run_id": str(run.id)})
            connections.close_all()
            time.sleep(0.5)
