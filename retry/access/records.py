"""Which runs, operations, syncs, imports, holds and audit events an actor may see.

Each belongs to the source that it is about. The permission for its list or page is another matter:
the page or the address checks it.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from entries.models import Entry, Scope
from entries.states import EntryStatus
from retry.access.permissions import (
    SUBMIT_ENTRY,
    VIEW_ALL_SOURCES,
    VIEW_AUDIT,
    VIEW_ENTRY,
    VIEW_SYNC,
)
from retry.access.visibility import find_scope, find_sources
from retry.errors import NotPermitted
from retry.models import AuditEvent, Hold, Import, Operation, Run, Sync
from retry.outcomes import Actor

#: Stands in ``Operation.source_ids`` for entries without a source.
NO_SOURCE = 0


def visible_syncs(actor: Actor) -> QuerySet[Sync]:
    return Sync.objects.filter(find_sources(actor).condition())


def visible_imports(actor: Actor) -> QuerySet[Import]:
    """Return the actor's own imports, or all of them for who may see syncs or the audit."""
    if not (actor.may(VIEW_ENTRY) and actor.may(SUBMIT_ENTRY)):
        return Import.objects.none()
    seen = Import.objects.filter(find_sources(actor).condition())
    if actor.may(VIEW_SYNC) or actor.may(VIEW_AUDIT):
        return seen
    return seen.filter(actor_id=actor.user_id)


def visible_runs(actor: Actor) -> QuerySet[Run]:
    """Return the runs of sources that the actor sees; a run has entries of one source only.

    A run without a kind holds ids under which its actor found nothing: it is theirs alone.
    """
    scope = find_sources(actor)
    if scope.everything:
        return Run.objects.all()
    missing = Q(kind="")
    return Run.objects.filter(scope.condition() & ~missing | missing & Q(actor=actor.user_id))


def visible_operations(actor: Actor) -> QuerySet[Operation]:
    """Return the operations with entries of a source that the actor sees, and the actor's own."""
    scope = find_sources(actor)
    if scope.everything:
        return Operation.objects.all()
    own = Q(actor=actor.user_id) if actor.user_id is not None else Q(pk__in=())
    if actor.sources is not None:  # its user may have requested it with another token
        own &= Q(source_ids__contained_by=_list_ids(scope))
    return Operation.objects.filter(own | Q(source_ids__overlap=_list_ids(scope)))


def shield_runs(runs: Iterable[Run], *, actor: Actor) -> None:
    """Blank, in instances that are only shown, the reason of an operation that also has entries
    hidden from the actor, as the operation itself does. One statement where something is hidden.
    """
    if find_sources(actor).everything:
        return
    parts = [run for run in runs if run.operation_id and run.reason]
    operations = Operation.objects.in_bulk({run.operation_id for run in parts}) if parts else {}
    for run in parts:
        operation = operations.get(run.operation_id)
        whole = operation is not None and sees_whole_operation(operation, actor=actor)
        if operation is None or not (whole or is_requester(operation, actor=actor)):
            run.reason = ""


def sees_operation(operation: Operation, *, actor: Actor) -> bool:
    """Whether it is one of ``visible_operations``. Runs no query for operations."""
    scope = find_sources(actor)
    if scope.everything or is_requester(operation, actor=actor):
        return True
    return not set(operation.source_ids).isdisjoint(_list_ids(scope))


def sees_whole_operation(operation: Operation, *, actor: Actor) -> bool:
    """Whether no source of its entries is hidden from the actor."""
    scope = find_sources(actor)
    return scope.everything or set(operation.source_ids).issubset(_list_ids(scope))


def is_requester(operation: Operation, *, actor: Actor) -> bool:
    own = actor.user_id is not None and operation.actor_id == actor.user_id
    # What is of other sources than a token's was not requested with it.
    return own and (actor.sources is None or actor.sources.issuperset(operation.source_ids))


def require_all_sources(actor: Actor) -> None:
    """Check that nothing is hidden from an actor whose act concerns what every source has.

    Raises ``NotPermitted``.
    """
    if not find_sources(actor).everything:
        raise NotPermitted(VIEW_ALL_SOURCES)


def visible_holds(actor: Actor) -> QuerySet[Hold]:
    """Return the holds on kinds, on sources that the actor sees, and on upstreams of which they see
    an entry that is failed or scheduled.
    """
    scope = find_sources(actor)
    if scope.everything:
        return Hold.objects.all()
    entries = Entry.objects.within(find_scope(actor))
    alike = entries.filter(
        kind=OuterRef("kind"),
        upstream=OuterRef("upstream"),
        status__in=(EntryStatus.FAILED, EntryStatus.SCHEDULED),
    )
    own_source = Q(source__isnull=False) & scope.condition()
    whole_kind = Q(source=None, upstream="")
    return Hold.objects.filter(own_source | whole_kind | ~Q(upstream="") & Exists(alike))


def visible_events(actor: Actor) -> QuerySet[AuditEvent]:
    """Return the audit events about nothing that is hidden from the actor.

    An event that names nothing may be about anything: it is for its own actor.
    """
    scope = find_sources(actor)
    found = AuditEvent.objects.all()
    if scope.everything:
        return found
    ids = _list_ids(scope)
    operation = Operation.objects.filter(pk=OuterRef("operation_id"), source_ids__contained_by=ids)
    seen = (
        _unless("entry_id", Entry.objects.within(scope).filter(pk=OuterRef("entry_id")))
        & _unless("run_id", visible_runs(actor).filter(pk=OuterRef("run_id")))
        & _unless("operation_id", operation)
        & (Q(source_id=None) | scope.condition("source_id"))
    )
    named = Q(entry_id=None, run_id=None, operation_id=None, source_id=None)
    own = Q(actor=actor.user_id) if actor.sources is None else Q(pk__in=())
    subject = ~named | own | Q(subject__startswith="auth.")
    # What the system says of an error group may be the doing of hidden entries.
    group = Q(subject__startswith="retry.errorgroup:", channel="system")
    return found.filter(seen & subject & ~group)


def _unless(column: str, there: QuerySet[Any]) -> Q:
    return Q(**{f"{column}__isnull": True}) | Q(Exists(there))


def _list_ids(scope: Scope) -> list[int]:
    return [*scope.source_ids, *((NO_SOURCE,) if scope.sourceless else ())]
