"""Which entries an actor may see, and so may do anything to: the one rule of every verb.

``Entry.objects.visible_to`` says what a user may see; commands and the system see everything. Who
may not see an entry gets "not found" for it, from whatever they ask.
"""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Count

from entries.models import Entry, EntryQuerySet
from retry.outcomes import Actor


def visible_entries(actor: Actor) -> EntryQuerySet:
    return Entry.objects.all() if actor.user is None else Entry.objects.visible_to(actor.user)


def sees_everything(actor: Actor) -> bool:
    """Whether nothing is hidden from the actor. Asks the database for nothing."""
    query = visible_entries(actor).query
    return not (query.where or query.is_sliced or query.distinct or query.combinator)


def sees_nothing(actor: Actor) -> bool:
    """Whether the actor may see no entry at all. Asks the database for nothing."""
    return visible_entries(actor).query.is_empty()


def visible_ids(ids: Iterable[int], *, actor: Actor) -> list[int]:
    """Those of ``ids`` that are not hidden from the actor, in order.

    Costs a statement only where something may be hidden; else unknown ids are among them.
    """
    wanted = list(ids)
    if sees_everything(actor):
        return wanted
    if sees_nothing(actor):
        return []
    seen = set(visible_entries(actor).filter(pk__in=wanted).values_list("pk", flat=True))
    return [id_ for id_ in wanted if id_ in seen]


def hidden_external_ids(
    external_ids: Sequence[str], *, source_id: int | None, actor: Actor
) -> set[str]:
    """Those under which the source has an entry that the actor may not see."""
    if sees_everything(actor):
        return set()
    known = Entry.objects.filter(source=source_id, external_id__in=external_ids)
    hidden = known.exclude(pk__in=visible_entries(actor).values("pk"))
    return set(hidden.values_list("external_id", flat=True))


def sees_source(source_id: int, *, actor: Actor) -> bool:
    """Whether the actor sees the entries of a source, all of them: what a sync says of its source
    is about any of them.
    """
    if sees_everything(actor):
        return True
    seen = visible_entries(actor)
    of_source = Entry.objects.filter(source=source_id)
    return (
        seen.filter(source=source_id).exists()
        and not of_source.exclude(pk__in=seen.values("pk")).exists()
    )


def visible_counts(of_all: Mapping[str, int], *, actor: Actor) -> dict[str, int] | None:
    """``of_all``, entries by status, or the same of what the actor sees; None for who sees none."""
    if sees_everything(actor):
        return dict(of_all)
    if sees_nothing(actor):
        return None
    counted = visible_entries(actor).order_by().values_list("status").annotate(Count("pk"))
    return dict.fromkeys(of_all, 0) | dict(counted)
