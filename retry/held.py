"""What is on hold, as conditions of statements: a kind, or a source.

A run is held where its kind or its source is. The breaker's probes pass its own holds and no
others: what a person has put on hold is for that person to lift.
"""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q

from retry.models import Hold, OperationState, Run

#: Of a row ``retry_run``, in a statement of its own; the partial indexes answer it.
RUN_IS_HELD = """EXISTS (
    SELECT FROM retry_hold h
    WHERE h.lifted_at IS NULL AND (
        (h.kind <> '' AND h.kind = retry_run.kind AND NOT (h.automatic AND retry_run.probe))
        OR (h.source_id IS NOT NULL AND h.source_id = retry_run.source_id)))"""

#: Of an operation of which nothing more may begin.
STOPPED = (OperationState.PAUSED, OperationState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Held:
    """The kinds and the ids of the sources that are on hold."""

    kinds: frozenset[str]
    source_ids: frozenset[int]

    def __bool__(self) -> bool:
        return bool(self.kinds or self.source_ids)

    def condition(self) -> Q:
        """Finds the rows of a model with ``kind`` and ``source`` that are held."""
        return Q(kind__in=self.kinds) | Q(source_id__in=self.source_ids)


def held() -> Held:
    """As of now; what is put on hold a moment later is stopped where its runs are claimed."""
    standing = Hold.objects.filter(lifted_at=None).only("kind", "source_id")
    kinds = frozenset(hold.kind for hold in standing if hold.kind)
    return Held(kinds, frozenset(hold.source_id for hold in standing if hold.source_id))


def run_is_held() -> Q:
    """``RUN_IS_HELD`` for querysets of runs."""
    standing = Hold.objects.filter(lifted_at=None)
    of_kind = standing.exclude(kind="").filter(kind=OuterRef("kind"))
    of_source = standing.filter(source__isnull=False, source=OuterRef("source"))
    by_person = Q(Exists(of_kind.filter(automatic=False)))
    return Q(Exists(of_source)) | by_person | Q(Exists(of_kind), probe=False)


def is_stopped(run: Run) -> bool:
    """Nothing more of it may begin: it is held, or its operation is paused or cancelled."""
    stopped = Q(operation__state__in=STOPPED) | run_is_held()
    return Run.objects.filter(stopped, pk=run.pk).exists()
