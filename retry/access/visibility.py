"""Which rows an actor may see, and so act on: the one rule of every verb.

``Entry.objects.visible_to`` decides for users; a token sees what it has sources for of that;
commands and the system see everything. A hidden entry is reported as "not found", by every verb and
every list.
"""

from collections.abc import Iterable, Sequence

from django.db.models import BigIntegerField, QuerySet

from entries.lists import StatusCounts, count_by_status
from entries.models import Entry, EntryQuerySet, Source
from retry.access.permissions import SUBMIT_ENTRY, VIEW_AUDIT, VIEW_ENTRY, VIEW_SYNC
from retry.models import ErrorGroup, Import
from retry.outcomes import Actor


def visible_imports(actor: Actor) -> QuerySet[Import]:
    """Return the actor's own imports, or all of them for who may see syncs or the audit."""
    if not (actor.may(VIEW_ENTRY) and actor.may(SUBMIT_ENTRY)):
        return Import.objects.none()
    if actor.may(VIEW_SYNC) or actor.may(VIEW_AUDIT):
        return Import.objects.all()
    return Import.objects.filter(actor_id=actor.user_id)


def visible_entries(actor: Actor) -> EntryQuerySet:
    """Return the entries that the actor may see: of a token those of its user that come from its
    sources.
    """
    found = Entry.objects.all() if actor.user is None else Entry.objects.visible_to(actor.user)
    return found if actor.sources is None else found.filter(source__in=actor.sources)


def visible_sources(actor: Actor) -> QuerySet[Source]:
    """Return the sources whose entries the actor may see and act on."""
    found = Source.objects.all()
    return found if actor.sources is None else found.filter(pk__in=actor.sources)


def sees_everything(actor: Actor) -> bool:
    """Whether nothing is hidden from the actor. Runs no query for entries."""
    query = visible_entries(actor).query
    return not (query.where or query.is_sliced or query.distinct or query.combinator)


def sees_nothing(actor: Actor) -> bool:
    """Whether every entry is hidden from the actor. Runs no query for entries."""
    return visible_entries(actor).query.is_empty()


def visible_ids(ids: Iterable[int], *, actor: Actor) -> list[int]:
    """Return the ``ids`` that are not hidden from the actor, in their order.

    Runs a query only where something may be hidden; otherwise unknown ids are kept, except those
    that no entry can have.
    """
    wanted = [id_ for id_ in ids if 0 < id_ <= BigIntegerField.MAX_BIGINT]
    if sees_everything(actor):
        return wanted
    if sees_nothing(actor):
        return []
    visible = set(visible_entries(actor).filter(pk__in=wanted).values_list("pk", flat=True))
    return [id_ for id_ in wanted if id_ in visible]


def hidden_external_ids(
    external_ids: Sequence[str], *, source_id: int | None, actor: Actor
) -> set[str]:
    """Return the external ids under which the source has an entry hidden from the actor."""
    if sees_everything(actor):
        return set()
    known = Entry.objects.filter(source=source_id, external_id__in=external_ids)
    hidden = known.exclude(pk__in=visible_entries(actor).values("pk"))
    return set(hidden.values_list("external_id", flat=True))


def sees_source(source_id: int, *, actor: Actor) -> bool:
    """Whether the source has entries and the actor sees all of them.

    The notes and the sample of a sync may show any entry of its source.
    """
    if sees_everything(actor):
        return True
    visible = visible_entries(actor)
    entries = Entry.objects.filter(source=source_id)
    return (
        visible.filter(source=source_id).exists()
        and not entries.exclude(pk__in=visible.values("pk")).exists()
    )


#: Of an actor who does not see everything, the newest failed entries, whose groups a list shows.
NEWEST_FAILURES = 5_000


def visible_groups(actor: Actor) -> QuerySet[ErrorGroup]:
    """Return the error groups for a list: those with a failed entry that the actor may see.

    For an actor from whom something is hidden only the newest of these entries are looked at.
    """
    if sees_everything(actor):
        return ErrorGroup.objects.all()
    newest = visible_entries(actor).failed().order_by("-failed_at", "-id")
    seen = newest.values_list("fingerprint", flat=True)[:NEWEST_FAILURES]
    return ErrorGroup.objects.filter(fingerprint__in=seen)


def sees_group(fingerprint: str, *, actor: Actor) -> bool:
    """Whether nothing is hidden from the actor, or they may see a failed entry of the group."""
    if sees_everything(actor):
        return True
    return visible_entries(actor).failed().filter(fingerprint=fingerprint).exists()


def visible_counts(totals: StatusCounts, *, actor: Actor) -> StatusCounts | None:
    """Return entries by status as the actor sees them, or None if they see no entry.

    ``totals``: the counts of all entries, returned as they are where nothing is hidden.
    """
    if sees_everything(actor):
        return totals
    if sees_nothing(actor):
        return None
    return count_by_status(visible_entries(actor))
