"""A second session beside the dispatcher's own: while PostgreSQL starts runs in one, it starts the
next ones in the other, on a processor of its own.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from django.db import DatabaseError, connection

from retry.models import Run
from retry.runs.handover import Handover

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Slice:
    """``entries``: how many the started runs hold; ``runs``: those that Redis must get."""

    entries: int = 0
    runs: Sequence[Run] = ()


class Lane:
    """A thread with a connection of its own. Both exist from the first use to the end of the block.

    A step calls ``begin`` in its transaction and ``wait`` before it commits, so what happens here
    happens while the step has the lease and locks the operation. ``follow`` hands over what was
    committed, in order, while the next step is under way; the block ends after that.

    ``act`` is a transaction that is right without the step's, because either may fail alone. Where
    the process dies in between, what is committed and not handed over is found missing in Redis, as
    after any such death.
    """

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._begun: Future[Slice] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._thread is not None:
            self._thread.submit(_disconnect)
            self._thread.shutdown()
            self._thread = None

    def begin(self, act: Callable[[], Slice]) -> None:
        """Do ``act`` in the thread; what it raises is logged, and nothing counts as started."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="lane")
        self._begun = self._thread.submit(_attempt, act)

    def wait(self) -> int:
        """Wait for what was begun, if anything; return how many entries it has started."""
        return self._begun.result().entries if self._begun is not None else 0

    def follow(self) -> None:
        """Hand over the runs that were started here, behind all that were handed over so far."""
        if self._begun is not None and self._thread is not None:
            self._thread.submit(Handover, self._begun.result().runs)
            self._begun = None


def _attempt(act: Callable[[], Slice]) -> Slice:
    try:
        return act()
    except DatabaseError as error:
        logger.warning("dispatcher.lane_failed", extra={"error": str(error)[:200]})
    except Exception:
        logger.exception("dispatcher.lane_failed")
    return Slice()


def _disconnect() -> None:
    connection.close()  # of the thread that calls this
