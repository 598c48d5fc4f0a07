"""Entries between their claim and their begin: threads take from it what may begin."""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from entries.transitions import ClaimedEntry
from retry.worker.claim import Claim


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A claimed entry, and the run that it belongs to."""

    entry: ClaimedEntry
    claim: Claim


class Buffer:
    """Gives items out in the order they came, at most ``per_upstream`` of one upstream at once.

    Of entries without an upstream any number may be under way. ``began`` is called for each item
    that is given out, by one thread at a time.
    """

    def __init__(self, *, per_upstream: int | None, began: Callable[[Item], None]) -> None:
        self._per_upstream = per_upstream
        self._began = began
        self._changed = threading.Condition()
        self._waiting: list[Item] = []
        self._under_way: Counter[str] = Counter()
        self._is_closed = False

    def put(self, items: Iterable[Item]) -> None:
        with self._changed:
            before = len(self._waiting)
            self._waiting += items
            self._changed.notify(len(self._waiting) - before)

    def get(self) -> Item | None:
        """Wait for an item that may begin; None once the buffer is closed."""
        with self._changed:
            while not self._is_closed:
                place = self._find_next()
                if place is not None:
                    item = self._waiting.pop(place)
                    self._under_way[item.entry.upstream] += 1
                    self._began(item)
                    return item
                self._changed.wait()
            return None

    def end(self, item: Item) -> None:
        """Note that an item is over."""
        with self._changed:
            upstream = item.entry.upstream
            self._under_way[upstream] -= 1
            if not self._under_way[upstream]:
                del self._under_way[upstream]
            # No other thread is woken: this one asks for the next item, and one more may begin.

    def withdraw(self, claim: Claim) -> list[int]:
        """Take back the items of a run that have not begun; returns the ids of their entries."""
        with self._changed:
            ids = [item.entry.id for item in self._waiting if item.claim is claim]
            self._waiting = [item for item in self._waiting if item.claim is not claim]
        return ids

    def count_by_upstream(self) -> Counter[str]:
        """Count the items that are waiting and under way."""
        with self._changed:
            return self._under_way + Counter(item.entry.upstream for item in self._waiting)

    def close(self) -> None:
        """Give out no more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _find_next(self) -> int | None:
        for place, item in enumerate(self._waiting):
            upstream = item.entry.upstream
            limit = self._per_upstream if upstream else None
            if limit is None or self._under_way[upstream] < limit:
                return place
        return None
