"""Letting what a hold has kept waiting go on a little at a time, once it is lifted.

An upstream that has just come back would be down again at once under all that has waited for it.
What comes later does not wait behind any of that: the ramp is for what was there before the lift.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from retry.holds.condition import ActiveHolds
from retry.models import Hold

#: After so many seconds everything goes on.
SECONDS = 30.0
FIRST = 10.0
DOUBLING_SECONDS = 3.0


def allowance(seconds: float) -> float:
    """How many entries may have gone on so many seconds after the lift: 10 at once, then 10 a
    second, and twice as many a second every three seconds.
    """
    grown = DOUBLING_SECONDS / math.log(2) * (2 ** (seconds / DOUBLING_SECONDS) - 1)
    return FIRST * (1 + grown)


Id = TypeVar("Id", int, UUID)


@dataclass(frozen=True, slots=True)
class Waiting(Generic[Id]):
    """A run, or a scheduled entry, by its id. ``since``: when it began to wait. ``size`` in
    entries.
    """

    id: Id
    kind: str
    upstream: str
    source_id: int | None
    since: datetime
    size: int = 1


@dataclass(slots=True)
class Lift:
    """A hold that was lifted a moment ago, and how many entries may go on now."""

    hold_id: int
    lifted_at: datetime
    left: float
    taken: int = 0


class Ramp:
    """What may go on now of all that waited for the holds that were lifted a moment ago."""

    def __init__(self, lifts: Mapping[tuple[str, str] | int, Lift]) -> None:
        """``lifts``: by (kind, upstream), or by source."""
        self._lifts = lifts

    def __bool__(self) -> bool:
        return bool(self._lifts)

    def condition(self, since: str) -> Q:
        """Finds all that may be covered, by the column that says since when it has waited."""
        pairs = [key for key in self._lifts if isinstance(key, tuple)]
        covered = ActiveHolds(
            frozenset(kind for kind, upstream in pairs if not upstream),
            frozenset(key for key in self._lifts if isinstance(key, int)),
            frozenset(pair for pair in pairs if pair[1]),
        )
        newest = max(lift.lifted_at for lift in self._lifts.values())
        return covered.condition() & Q(**{f"{since}__lt": newest})

    def take(self, items: Iterable[Waiting[Id]], *, limit: int) -> list[Waiting[Id]]:
        """At most ``limit`` of ``items``, the oldest first, that may go on now. A ramp may be
        overdrawn by one of them, and makes up for it later.
        """
        return list(islice((item for item in items if self._admits(item)), limit))

    def note(self) -> None:
        """Write down how many were let go on; whoever dispatches next counts from there."""
        for lift in self._lifts.values():
            if lift.taken:
                hold = Hold.objects.filter(pk=lift.hold_id)
                hold.update(released=F("released") + lift.taken)
                lift.taken = 0

    def _admits(self, item: Waiting[Id]) -> bool:
        keys: tuple[tuple[str, str] | int | None, ...] = (
            (item.kind, item.upstream),
            (item.kind, ""),
            item.source_id,
        )
        for key in keys:
            lift = self._lifts.get(key) if key is not None else None
            if lift is None or item.since >= lift.lifted_at:
                continue
            if lift.left <= 0:
                return False
            lift.left -= item.size
            lift.taken += item.size
            return True
        return True


def ramp() -> Ramp:
    """As of now, by the database's clock."""
    since = Now() - timedelta(seconds=SECONDS)
    lifted = list(Hold.objects.filter(lifted_at__gt=since).order_by("lifted_at"))
    if not lifted:
        return Ramp({})
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    found: dict[tuple[str, str] | int, Lift] = {}
    for hold in lifted:
        if hold.lifted_at is None:
            continue
        key = (hold.kind, hold.upstream) if hold.kind else hold.source_id
        if key is not None:
            left = allowance((now - hold.lifted_at).total_seconds()) - hold.released
            found[key] = Lift(hold.pk, hold.lifted_at, left)
    return Ramp(found)
