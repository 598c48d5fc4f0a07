"""What an actor sees of error groups: how many entries are failed, since when, of which kinds."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from entries.budget import OutOfTime, time_budget
from entries.lists import MOST, count_each
from entries.lists.windows import BUDGET_SECONDS
from entries.sql import load
from retry.access.records import visible_operations
from retry.access.visibility import NEWEST_FAILURES, sees_everything, visible_entries
from retry.models import MOST_NAMES, ErrorGroup, GroupState, Operation
from retry.operations.tallies import Tally, read_tallies
from retry.outcomes import Actor

_SQL = load(__file__)

#: Counting stops here where counting up to ``MOST`` would take too long.
FEWER = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """``count`` entries are failed now, or more than that many where there are ``more``.

    ``more_names``: the group has more upstreams or kinds than are listed.
    """

    count: int
    more: bool
    first_seen: datetime | None
    last_seen: datetime | None
    kinds: Sequence[str]
    upstreams: Sequence[str]

    @property
    def more_names(self) -> bool:
        return len(self.upstreams) >= MOST_NAMES or len(self.kinds) >= MOST_NAMES


def read_facts(groups: Sequence[ErrorGroup], *, actor: Actor) -> Mapping[int, GroupFacts]:
    """Read the facts of groups, by their ids, in one or two bounded statements.

    For an actor from whom something is hidden, all of it comes from the entries that they may see.
    """
    if not sees_everything(actor):
        return _read_visible(groups, actor=actor)
    counts = count_failed([group.fingerprint for group in groups], actor=actor)
    return {
        group.pk: GroupFacts(
            count=counts[group.fingerprint][0],
            more=counts[group.fingerprint][1],
            first_seen=group.first_seen,
            last_seen=group.last_seen,
            kinds=group.kinds,
            upstreams=group.upstreams,
        )
        for group in groups
    }


def shield(groups: Sequence[ErrorGroup], *, actor: Actor) -> Sequence[ErrorGroup]:
    """Blank, in instances that are only shown, the operations of which the actor sees nothing, and
    that a group has regressed where only hidden entries have failed since.

    Where something is hidden, one statement, and one for each group that has regressed.
    """
    if sees_everything(actor):
        return groups
    for group in groups:
        if group.regressed_at is not None:
            _narrow_regression(group, actor=actor)
    pairs = [(group.proof_id, group.resolved_operation_id) for group in groups]
    named = [id_ for pair in pairs for id_ in pair if id_ is not None]
    found = visible_operations(actor).filter(pk__in=named)
    seen = set(found.values_list("pk", flat=True))
    for group in groups:
        group.proof_id = group.proof_id if group.proof_id in seen else None
        if group.resolved_operation_id not in seen:
            group.resolved_operation_id = None
    return groups


def _narrow_regression(group: ErrorGroup, *, actor: Actor) -> None:
    """Let a group have regressed with the first failure after its resolution that is seen."""
    since = visible_entries(actor).failed().filter(fingerprint=group.fingerprint)
    if group.resolved_operation_id is None and group.resolved_at is not None:
        since = since.filter(failed_at__gt=group.resolved_at)
    # What failed while a proof ended is news, whatever its time says: nothing was failed then.
    group.regressed_at = since.order_by("failed_at").values_list("failed_at", flat=True).first()
    if group.regressed_at is None and group.state == GroupState.REGRESSED:
        group.state = GroupState.RESOLVED


def filter_by_state(
    groups: QuerySet[ErrorGroup], state: str, *, actor: Actor
) -> QuerySet[ErrorGroup]:
    """Return the groups that ``shield`` shows in that state."""
    if sees_everything(actor) or state not in {GroupState.RESOLVED, GroupState.REGRESSED}:
        return groups.filter(state=state)
    alike = visible_entries(actor).failed().filter(fingerprint=OuterRef("fingerprint"))
    newer = alike.filter(failed_at__gt=OuterRef("resolved_at"))
    since = Q(resolved_operation__isnull=False) & Q(Exists(alike)) | Q(Exists(newer))
    regressed = Q(state=GroupState.REGRESSED)
    if state == GroupState.REGRESSED:
        return groups.filter(regressed & since)
    return groups.filter(Q(state=GroupState.RESOLVED) | regressed & ~since)


def count_failed(fingerprints: Sequence[str], *, actor: Actor) -> Mapping[str, tuple[int, bool]]:
    """Count the entries that are failed now by fingerprint, of those that the actor may see, and
    tell whether there are more.

    Stops at ``MOST`` of each, or at ``FEWER`` where that takes too long.
    """
    if not sees_everything(actor):
        return _count_visible(fingerprints, actor=actor)
    with suppress(OutOfTime), time_budget(BUDGET_SECONDS):
        return _count(fingerprints, most=MOST)
    return _count(fingerprints, most=FEWER)


def _count_visible(fingerprints: Sequence[str], *, actor: Actor) -> Mapping[str, tuple[int, bool]]:
    failed = visible_entries(actor).failed()
    alike = [failed.filter(fingerprint=name) for name in fingerprints]
    counts = count_each(alike) or count_each(alike, most=FEWER) or [(1, True)] * len(alike)
    return dict(zip(fingerprints, counts, strict=True))


def _count(fingerprints: Sequence[str], *, most: int) -> Mapping[str, tuple[int, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(_SQL["count"], {"fingerprints": list(fingerprints), "stop": most + 1})
        return {name: (min(number, most), number > most) for name, number in cursor.fetchall()}


def _read_visible(groups: Sequence[ErrorGroup], *, actor: Actor) -> Mapping[int, GroupFacts]:
    alike = [group.fingerprint for group in groups]
    visible = visible_entries(actor).failed().filter(fingerprint__in=alike)
    columns = ("fingerprint", "failed_at", "kind", "upstream")
    rows = visible.order_by("-failed_at", "-id").values_list(*columns)[: NEWEST_FAILURES + 1]
    found: dict[str, list[tuple[datetime | None, str, str]]] = defaultdict(list)
    for fingerprint, failed_at, kind, upstream in rows:
        found[fingerprint].append((failed_at, kind, upstream))
    more = sum(map(len, found.values())) > NEWEST_FAILURES
    return {group.pk: _summarise(found[group.fingerprint], more=more) for group in groups}


def _summarise(rows: Sequence[tuple[datetime | None, str, str]], *, more: bool) -> GroupFacts:
    """Summarise the entries of one group, the newest first."""
    return GroupFacts(
        count=len(rows),
        more=more,
        first_seen=rows[-1][0] if rows else None,
        last_seen=rows[0][0] if rows else None,
        kinds=list(dict.fromkeys(kind for _, kind, _ in rows))[:MOST_NAMES],
        upstreams=list(dict.fromkeys(name for *_, name in rows if name))[:MOST_NAMES],
    )


@dataclass(frozen=True, slots=True)
class LastOperation:
    """The newest operation on a group's entries, and what has come of it."""

    operation: Operation
    tally: Tally


def read_last_operations(fingerprints: Sequence[str]) -> Mapping[str, LastOperation]:
    """Read the newest operation that was filtered by each fingerprint; many have had none."""
    with connection.cursor() as cursor:
        cursor.execute(_SQL["last_operations"], {"fingerprints": list(fingerprints)})
        ids: dict[str, UUID] = dict(cursor.fetchall())
    if not ids:
        return {}
    operations = Operation.objects.in_bulk(ids.values())
    tallies = read_tallies(ids.values())
    return {
        fingerprint: LastOperation(operations[id_], tallies.get(id_, Tally()))
        for fingerprint, id_ in ids.items()
        if id_ in operations
    }
