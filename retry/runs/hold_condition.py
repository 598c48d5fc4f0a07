"""What is on hold: a kind, an upstream of a kind, or a source.

A run is held where its kind, its source or its upstream is. A run over entries of several upstreams
has none: its held entries stay queued when the others are claimed. The breaker's probes pass its
own holds and no others, because only people lift what a person has put on hold.

``hold_condition.sql`` says this for statements and querysets, ``list_covering_keys`` for values.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import BooleanField, F, Field, Func, Q

from entries.kinds.upstreams import depends_on_upstreams
from entries.sql import load
from retry.models import OperationState

_SQL = load(__file__)
#: For statements of other modules to include.
FRAGMENTS = _SQL.fragments

#: The states of an operation in which none of its runs may begin.
STOPPED = (OperationState.PAUSED, OperationState.CANCELLED)

#: What a hold is on: (kind, upstream), with an empty upstream for the whole kind, or a source's id.
HoldKey = tuple[str, str] | int


def hold_key(*, kind: str, upstream: str, source_id: int | None) -> HoldKey:
    """Return what a hold with these columns is on; a hold is on exactly one thing."""
    return (kind, upstream) if source_id is None else source_id


def list_covering_keys(*, kind: str, upstream: str, source_id: int | None) -> tuple[HoldKey, ...]:
    """Return what a hold can be on that covers such a run or entry, the narrowest first."""
    whole: tuple[HoldKey, ...] = ((kind, upstream), (kind, ""))
    return whole if source_id is None else (*whole, source_id)


@dataclass(frozen=True, slots=True)
class ActiveHolds:
    """What was on hold at one moment."""

    keys: frozenset[HoldKey] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.keys)

    @property
    def kinds(self) -> frozenset[str]:
        """Kinds that are held whole."""
        return frozenset(kind for kind, upstream in self._pairs if not upstream)

    @property
    def upstreams(self) -> frozenset[tuple[str, str]]:
        """Held upstreams, as (kind, upstream)."""
        return frozenset(pair for pair in self._pairs if pair[1])

    @property
    def source_ids(self) -> frozenset[int]:
        return frozenset(key for key in self.keys if isinstance(key, int))

    @property
    def _pairs(self) -> list[tuple[str, str]]:
        return [key for key in self.keys if isinstance(key, tuple)]

    def condition(self) -> Q:
        """Match held rows of any model with ``kind``, ``source`` and ``upstream``.

        The fragment is about runs and active holds. This is for entries, of which there may be
        millions, and for the ramp's holds, which are lifted.
        """
        found = Q(kind__in=self.kinds) | Q(source_id__in=self.source_ids)
        by_kind = defaultdict(list)
        for kind, upstream in sorted(self.upstreams):
            by_kind[kind].append(upstream)
        for kind, upstreams in by_kind.items():
            found |= Q(kind=kind, upstream__in=upstreams)
        return found


def find_active_holds() -> ActiveHolds:
    """Read what is on hold now. A hold put a moment later stops runs where they are claimed."""
    with connection.cursor() as cursor:  # without a queryset, because every click runs this
        cursor.execute(_SQL["active_holds"])
        rows = cursor.fetchall()
    return ActiveHolds(
        frozenset(hold_key(kind=row[0], upstream=row[1], source_id=row[2]) for row in rows)
    )


def find_held_upstreams(kind: str, *, probe: bool) -> list[str]:
    """Return the upstreams of which a run of ``kind`` must not begin entries: the part of the
    condition that is about entries, for a run without an upstream of its own.
    """
    if not depends_on_upstreams(kind):
        return []
    with connection.cursor() as cursor:
        cursor.execute(_SQL["held_upstreams"], {"kind": kind, "probe": probe})
        return [upstream for (upstream,) in cursor.fetchall()]


class _RunFragment(Func):
    """A fragment in a queryset of runs, on the name that the query gives to their table."""

    def __init__(self, name: str, *, output_field: "Field[Any, Any]") -> None:
        super().__init__(F("pk"), output_field=output_field)
        self._text = FRAGMENTS[name]

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:  # type: ignore[override]
        (pk,) = self.get_source_expressions()
        table = compiler.quote_name_unless_alias(pk.alias)
        return self._text.replace("retry_run.", f"{table}."), []


def run_is_held() -> Func:
    """Return the condition for querysets of runs: ``.exclude(run_is_held())``."""
    return _RunFragment("run_is_held", output_field=BooleanField())
