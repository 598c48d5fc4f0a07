"""The base class of kinds, and the values that they work with."""

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from entries.errors import PermanentError, TransientError

#: Characters in the name of an upstream.
MAX_UPSTREAM = 200
#: Outcomes that a breaker looks at.
MAX_WINDOW = 1000


@dataclass(frozen=True, slots=True)
class EntryData:
    """An entry as a kind sees it: a value, so that ``process`` cannot change the database.

    ``payload`` is the stored JSON object, exactly as it was received.
    """

    id: int
    kind: str
    source: str | None
    external_id: str
    title: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AttemptData:
    """An attempt as a kind sees it; ``number`` counts from 1 over the entry's whole life."""

    number: int
    run_id: str
    trigger: str
    #: The same for every attempt at this entry: pass it to systems that must not act twice.
    idempotency_key: str
    #: Whether an earlier attempt at the entry had begun: this one is a retry, a resync, an
    #: automatic retry, a rescue or a push.
    is_rescan: bool = False
    #: What a resync found in the source: ``changed``, ``unchanged`` or ``gone``; empty without one.
    change: str = ""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Automatic retries with exponential backoff and full jitter.

    ``limit`` automatic retries after the first failure (0: never). Delays are in seconds: the
    n-th is random, evenly from 0 to ``min(cap, first_delay * factor ** n)``. ``on`` names errors
    that are retried; a ``PermanentError`` never is. Where the error says how long to wait
    (``retry_after``), that counts instead, up to ``cap``. Full jitter: "Exponential Backoff And
    Jitter", AWS Architecture Blog, 2015.
    """

    limit: int = 0
    first_delay: float = 30.0
    factor: float = 4.0
    cap: float = 3600.0
    on: tuple[type[BaseException], ...] = field(default=(TransientError,))

    def retries(self, error: BaseException) -> bool:
        """Say whether errors like this are retried automatically at all."""
        return (
            self.limit > 0 and isinstance(error, self.on) and not isinstance(error, PermanentError)
        )

    def delay(self, error: BaseException, *, used: int) -> float | None:
        """Return the seconds until the next automatic retry, or None where there is none."""
        if used >= self.limit or not self.retries(error):
            return None
        asked = getattr(error, "retry_after", None)
        if isinstance(asked, int | float) and not math.isnan(asked):
            return float(min(max(asked, 0.0), self.cap))
        return random.uniform(0.0, self._limit_delay(used))  # noqa: S311 - spreads load, guards nothing

    def _limit_delay(self, used: int) -> float:
        try:
            return min(self.cap, self.first_delay * float(self.factor) ** used)
        except OverflowError:
            return self.cap


@dataclass(frozen=True, slots=True)
class Breaker:
    """When an upstream is put on hold automatically, and when it is tried again.

    A kind without upstreams is judged whole, as if it were one. Where at least ``share`` (more than
    0, at most 1) of the last ``window`` outcomes failed with a transient error, nothing more that
    depends on the upstream starts. Then single entries are tried: the first after ``first_probe``
    seconds, and each that fails with a transient error makes the wait for the next ``factor`` times
    as long, up to ``cap``. Any other outcome lifts the hold.
    """

    window: int = 20
    share: float = 0.9
    first_probe: float = 5.0
    factor: float = 2.0
    cap: float = 60.0

    @classmethod
    def side_by_side(cls, upstream_concurrency: int) -> Self:
        """Return the default for entries side by side.

        Of those, the ones that hang end last and together, although the others have succeeded.
        """
        return cls(window=min(max(cls().window, 4 * upstream_concurrency), MAX_WINDOW))

    def wait(self, *, probes: int) -> float:
        """Return the seconds until the next probe after ``probes`` failed ones."""
        try:
            return min(self.cap, self.first_probe * float(self.factor) ** probes)
        except OverflowError:
            return self.cap


class Kind(ABC):
    """How entries of one kind are processed.

    Subclass it in a module of ``entries.kinds`` (or of any app listed in ``REDRIVE_KIND_MODULES``)
    and decorate it with ``@registry.register``. The registry makes one instance per process.
    """

    #: Chosen by ``Entry.kind``; lower-case letters, digits, ``_`` and ``-``; at most 50.
    name: ClassVar[str]
    #: One sentence for staff.
    description: ClassVar[str] = ""
    #: Seconds one entry may take before it fails with ``TimeLimitExceeded``.
    time_limit: ClassVar[float] = 60.0
    #: The queues for clicks and for larger selections.
    queue: ClassVar[str] = "default"
    bulk_queue: ClassVar[str] = "bulk"
    #: At most so many entries are handed to a worker together (1 to 500).
    run_size: ClassVar[int] = 25
    #: Up to so many entries (1 to 256) are under way in a worker at once, in threads. For work that
    #: waits for something outside; ``process`` must then be safe to call from several threads.
    concurrency: ClassVar[int] = 1
    #: At most so many of them have the same upstream; None for no limit of their own.
    upstream_concurrency: ClassVar[int | None] = None
    #: Above 1, entries that take milliseconds are claimed and finished in groups of up to this
    #: many, about a quarter of a second's work. That is faster, but where a work-horse dies, the
    #: entries of its group whose outcomes were not written yet are run again.
    group_size: ClassVar[int] = 1
    retry_policy: ClassVar[RetryPolicy] = RetryPolicy()
    #: Puts an upstream (or a kind without upstreams) on hold while nearly all of it fails with
    #: transient errors; None for never.
    breaker: ClassVar[Breaker | None] = Breaker()
    #: How often an entry is rescued from a dead worker in a row before it fails as ``WorkerLost``.
    rescue_limit: ClassVar[int] = 2
    #: What staff may do to payloads in bulk, by name: a function from a payload to a new one.
    repairs: ClassVar[Mapping[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]]] = {}

    #: A JSON Schema of its payloads, for those who push; what is stored is not checked by it.
    payload_schema: ClassVar[Mapping[str, Any] | None] = None

    @abstractmethod
    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        """Do the work once and return a JSON object, which becomes ``Entry.result``.

        Raise ``TransientError`` where another try may help and ``PermanentError`` where it cannot;
        any other exception counts as a plain failure. May be called again for the same entry: make
        it repeatable, or use ``attempt.idempotency_key``.
        """

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        """Return what an entry depends on outside, in at most 200 characters; "" if unknown.

        Entries with the same upstream fail together: it can be on hold and be filtered for, and
        the breaker judges each one separately. ``source`` is the slug of the entry's source. Called
        for each entry whenever content is stored: use the arguments only, no query and no request,
        and do not change the payload.
        """
        return ""

    def find_retry_policy(self, payload: Mapping[str, Any]) -> RetryPolicy:
        """Return the policy of one entry; ``retry_policy`` unless the kind has one for each.

        Called when an entry has failed. Use the payload only.
        """
        return self.retry_policy

    def problems_with(self, payload: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with a payload, in words, without doing anything; empty for nothing.

        Called before what people edit is stored, so that mistakes show at once: a payload with
        problems is refused. Use the payload only, no query and no request, and do not change it.
        What sources and pipelines bring is stored unchecked.
        """
        return []
