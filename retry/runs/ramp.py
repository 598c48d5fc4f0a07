"""The ramp after a lifted hold: what waited for it starts a little at a time.

An upstream that has just come back would fail again under everything that has waited for it. The
ramp is for what waited before the lift; what comes later does not wait behind it.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import F, Q
from django.db.models.functions import Now

from retry.models import Hold
from retry.runs.hold_condition import ActiveHolds, HoldKey, hold_key, list_covering_keys

#: After so many seconds nothing waits for the ramp any more.
SECONDS = 30.0
#: Entries that may start at once.
FIRST = 10.0
DOUBLING_SECONDS = 3.0


def compute_allowance(seconds: float) -> float:
    """Compute how many entries may have started so many seconds after the lift: 10 at once, then
    10 a second, and twice as many a second every three seconds.
    """
    grown = DOUBLING_SECONDS / math.log(2) * (2 ** (seconds / DOUBLING_SECONDS) - 1)
    return FIRST * (1 + grown)


Id = TypeVar("Id", int, UUID)


@dataclass(frozen=True, slots=True)
class WaitingItem(Generic[Id]):
    """A run or a scheduled entry that has waited ``since`` a time; ``size`` in entries."""

    id: Id
    kind: str
    upstream: str
    source_id: int | None
    since: datetime
    size: int = 1


@dataclass(slots=True)
class Lift:
    """A hold that was lifted a moment ago: ``room`` entries may start now, ``taken`` have."""

    hold_id: int
    lifted_at: datetime
    room: float
    taken: int = 0


class Ramp:
    """What may start now of everything that waited for holds that were lifted a moment ago."""

    def __init__(self, lifts: Mapping[HoldKey, Lift]) -> None:
        self._lifts = lifts

    def __bool__(self) -> bool:
        return bool(self._lifts)

    def condition(self, since: str) -> Q:
        """Match rows that may have waited for a lifted hold; the column ``since`` says since when
        a row has waited.
        """
        newest = max(lift.lifted_at for lift in self._lifts.values())
        covered = ActiveHolds(frozenset(self._lifts)).condition()
        return covered & Q(**{f"{since}__lt": newest})

    def describe(self) -> dict[str, Any]:
        """Return what was lifted as columns, and as ``lifted`` when the last hold was; the same
        that ``condition`` says, for a statement.
        """
        holds = [("", "", key) if isinstance(key, int) else (*key, None) for key in self._lifts]
        return {
            "kinds": [kind for kind, _, _ in holds],
            "upstreams": [upstream for _, upstream, _ in holds],
            "sources": [source_id for _, _, source_id in holds],
            "lifted": max((lift.lifted_at for lift in self._lifts.values()), default=None),
        }

    def take(self, items: Iterable[WaitingItem[Id]], *, limit: int) -> list[WaitingItem[Id]]:
        """Return at most ``limit`` of ``items``, oldest first, that may start now.

        One of them may overdraw the ramp; the next ones wait for longer in return.
        """
        return list(islice((item for item in items if self._admit(item)), limit))

    def save(self) -> None:
        """Store how many entries were let start, for the next ramp to count from."""
        for lift in self._lifts.values():
            if lift.taken:
                hold = Hold.objects.filter(pk=lift.hold_id)
                hold.update(released=F("released") + lift.taken)
                lift.taken = 0

    def _admit(self, item: WaitingItem[Id]) -> bool:
        for key in list_covering_keys(
            kind=item.kind, upstream=item.upstream, source_id=item.source_id
        ):
            lift = self._lifts.get(key)
            if lift is None or item.since >= lift.lifted_at:
                continue
            if lift.room <= 0:
                return False
            lift.room -= item.size
            lift.taken += item.size
            return True
        return True


def read_ramp() -> Ramp:
    """Read the ramp as of now, by the database's clock."""
    since = Now() - timedelta(seconds=SECONDS)
    lifted = list(Hold.objects.filter(lifted_at__gt=since).order_by("lifted_at"))
    if not lifted:
        return Ramp({})
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    found: dict[HoldKey, Lift] = {}
    for hold in lifted:
        if hold.lifted_at is not None:
            key = hold_key(kind=hold.kind, upstream=hold.upstream, source_id=hold.source_id)
            room = compute_allowance((now - hold.lifted_at).total_seconds()) - hold.released
            found[key] = Lift(hold.pk, hold.lifted_at, room)
    return Ramp(found)
