"""What is on hold, as conditions of statements: a kind, an upstream of a kind, or a source.

A run is held where its kind, its source or its upstream is. One with entries of several upstreams
has none: what is held of it is left queued where its entries are claimed. The breaker's probes pass
its own holds and no others: what a person has put on hold is for that person to lift.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from entries.kinds.upstreams import depends_on_upstreams
from retry.models import Hold, OperationState, Run

#: Of a row ``retry_run``, in a statement of its own; the partial indexes answer it.
RUN_IS_HELD = """EXISTS (
    SELECT FROM retry_hold h
    WHERE h.lifted_at IS NULL AND (
        (h.kind <> '' AND h.kind = retry_run.kind AND h.upstream IN ('', retry_run.upstream)
         AND NOT (h.automatic AND retry_run.probe))
        OR (h.source_id IS NOT NULL AND h.source_id = retry_run.source_id)))"""

#: Of an operation of which nothing more may begin.
STOPPED = (OperationState.PAUSED, OperationState.CANCELLED)


@dataclass(frozen=True, slots=True)
class ActiveHolds:
    """Whole kinds, upstreams as (kind, upstream), and ids of sources that are on hold."""

    kinds: frozenset[str] = frozenset()
    source_ids: frozenset[int] = frozenset()
    upstreams: frozenset[tuple[str, str]] = field(default=frozenset())

    def __bool__(self) -> bool:
        return bool(self.kinds or self.source_ids or self.upstreams)

    def condition(self) -> Q:
        """Finds the rows of a model with ``kind``, ``source`` and ``upstream`` that are held."""
        found = Q(kind__in=self.kinds) | Q(source_id__in=self.source_ids)
        by_kind = defaultdict(list)
        for kind, upstream in sorted(self.upstreams):
            by_kind[kind].append(upstream)
        for kind, upstreams in by_kind.items():
            found |= Q(kind=kind, upstream__in=upstreams)
        return found

    def stops(self, *, kind: str, source_id: int | None, upstream: str) -> bool:
        """Whether a run that is no probe would be held."""
        find_active_holds = kind in self.kinds or source_id in self.source_ids
        return find_active_holds or (kind, upstream) in self.upstreams


def find_active_holds() -> ActiveHolds:
    """As of now; what is put on hold a moment later is stopped where its runs are claimed."""
    with connection.cursor() as cursor:
        # By hand, because every click comes by here.
        cursor.execute("SELECT kind, upstream, source_id FROM retry_hold WHERE lifted_at IS NULL")
        standing = cursor.fetchall()
    return ActiveHolds(
        frozenset(kind for kind, upstream, _ in standing if kind and not upstream),
        frozenset(source_id for _, _, source_id in standing if source_id is not None),
        frozenset((kind, upstream) for kind, upstream, _ in standing if upstream),
    )


def held_upstreams(run: Run) -> list[str]:
    """The upstreams of the run's kind that are on hold for it: what it must not begin."""
    if not depends_on_upstreams(run.kind):
        return []
    standing = Hold.objects.filter(lifted_at=None, kind=run.kind).exclude(upstream="")
    if run.probe:
        standing = standing.filter(automatic=False)
    return list(standing.values_list("upstream", flat=True))


def run_is_held() -> Q:
    """``RUN_IS_HELD`` for querysets of runs."""
    standing = Hold.objects.filter(lifted_at=None)
    concerned = Q(upstream="") | Q(upstream=OuterRef("upstream"))
    of_kind = standing.exclude(kind="").filter(concerned, kind=OuterRef("kind"))
    of_source = standing.filter(source__isnull=False, source=OuterRef("source"))
    by_person = Q(Exists(of_kind.filter(automatic=False)))
    return Q(Exists(of_source)) | by_person | Q(Exists(of_kind), probe=False)


def is_stopped(run: Run) -> bool:
    """Nothing more of it may begin: it is held, or its operation is paused or cancelled."""
    stopped = Q(operation__state__in=STOPPED) | run_is_held()
    return Run.objects.filter(stopped, pk=run.pk).exists()
