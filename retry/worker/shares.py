"""A worker's shares: runs whose entries it processes side by side, and what it takes of them."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from entries.models import Entry
from retry.models import Run
from retry.worker.claim import Claim
from retry.worker.resync import Reading

#: Rates are measured over so many seconds, or a little longer.
_WINDOW_SECONDS = 0.25
#: So many seconds' work are claimed ahead of what has begun.
AHEAD_SECONDS = 0.15


@dataclass(slots=True, eq=False)
class Share:
    """A claimed run. ``taken``: its entries that were claimed and are not recorded yet."""

    claim: Claim
    reading: Reading | None = None
    #: Entry id -> upstream, where a limit for each upstream asks for them.
    upstreams: Mapping[int, str] = field(default_factory=dict)
    taken: int = 0
    has_begun: bool = False
    #: Nothing more of it begins; because it is on hold, or its operation is stopped.
    stops: bool = False
    is_held: bool = False

    def pick(self, count: int, room: "Room") -> list[int]:
        """Choose the next entries to claim, at most ``count``, and note them in ``room``."""
        return list(islice(room.admit(self.claim.rest, self.upstreams), count))


@dataclass(slots=True)
class Room:
    """How many more entries of each upstream can be claimed; ``limit`` None: any number."""

    limit: int | None
    rates: "Rates"
    used: Counter[str]

    def admit(self, ids: Sequence[int], upstreams: Mapping[int, str]) -> Iterable[int]:
        """Yield the ids for which there is room; each one yielded takes its room."""
        for id_ in ids:
            upstream = upstreams.get(id_, "")
            if self.limit is None or not upstream:
                yield id_
            elif self.used[upstream] < self.limit + self.rates.ahead(upstream):
                self.used[upstream] += 1
                yield id_


class Rates:
    """How many entries end in a second, in all and by upstream."""

    def __init__(self) -> None:
        self._counted: Counter[str] = Counter()
        self._since = time.monotonic()
        self._rates: dict[str, float] = {}

    def count(self, upstreams: Iterable[str]) -> None:
        self._counted.update(upstreams)
        seconds = time.monotonic() - self._since
        if seconds >= _WINDOW_SECONDS:
            self._rates = {name: n / seconds for name, n in self._counted.items()}
            self._counted.clear()
            self._since = time.monotonic()

    def ahead(self, upstream: str | None = None) -> int:
        """Return how many entries to claim ahead, of one upstream or in all."""
        rate = sum(self._rates.values()) if upstream is None else self._rates.get(upstream, 0.0)
        return int(rate * AHEAD_SECONDS)


def fetch_upstreams(run: Run) -> dict[int, str]:
    """Return entry id -> upstream for a run's entries."""
    return dict(Entry.objects.filter(pk__in=run.entry_ids).values_list("pk", "upstream"))
