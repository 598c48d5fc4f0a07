"""The only place where the lock of a source or a file is taken.

Work begins in ``claim`` (a worker, from the queue) or ``begin`` (here and now); both hold the lock
until the row says how it ended. So a running row whose lock is free has lost its worker, and
``settle_lost`` finds it. What runs in between requires the lock and does not take it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import transaction
from django.db.models.functions import Now

from entries.errors import SourceError
from entries.phrases import phrase
from retry.intakes import rows
from retry.intakes.lock import try_lock
from retry.models import Intake, Sync, SyncState
from retry.outcomes import Actor

R = TypeVar("R", bound=Intake)


class Stopped(Exception):
    """The process was asked to stop; the row goes back to the queue."""


class Lost(Exception):
    """The row was ended or taken over by another process, which found this one dead."""


@contextmanager
def claim(row: Intake) -> Iterator[bool]:
    """Claim a queued row and hold its lock for the block.

    Yields False where the row is not queued any more or another process reads what it reads; it
    then stays as it is, and the dispatcher hands it over again.
    """
    with try_lock(row) as alone:
        yield alone and rows.claim(row)


@contextmanager
def begin(row: Sync, *, actor: Actor) -> Iterator[Sync]:
    """Insert a running row and hold its lock for the block. Raises ``SourceError``."""
    with try_lock(row) as alone:
        if not alone:
            raise SourceError("sync_running", phrase("the source is being synced already"))
        row.state, row.started_at = SyncState.RUNNING, Now()
        yield rows.insert(row, actor=actor)


def settle_lost(running: Iterable[R], settle: Callable[[R], bool]) -> int:
    """Call ``settle`` for each running row whose worker is gone; return for how many it was true.

    Each call is under the row's lock, in a transaction of its own.
    """
    settled = 0
    for row in running:
        with try_lock(row) as alone, transaction.atomic():
            if alone and settle(row):
                settled += 1
    return settled
