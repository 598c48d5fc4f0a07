"""Which entries an actor may see, and so act on: the one rule of every verb.

A user sees entries by permission, and of these the ones whose source is open to all or to a group
of the user; a token sees of that what it has sources for; commands and the system see everything. A
hidden entry is reported as "not found", by every verb and every list. ``retry.access.records`` has
the same rule for what is about entries.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from django.contrib.postgres.fields import ArrayField
from django.db.models import BigIntegerField, F, Func, IntegerField, QuerySet, TextField, Value

from entries.budget import OutOfTime, time_budget
from entries.lists import count_by_status
from entries.models import EVERYTHING, NOTHING, Entry, EntryQuerySet, Scope, Source
from entries.models import find_sources as find_sources_of_user
from retry.access.permissions import VIEW_ENTRY
from retry.models import ErrorGroup
from retry.outcomes import Actor


def find_sources(actor: Actor) -> Scope:
    """Return the sources that the actor may see; everything else an actor sees is within them."""
    found = EVERYTHING if actor.user is None else find_sources_of_user(actor.user)
    if actor.sources is None:
        return found
    return found.narrow(Scope(source_ids=tuple(sorted(actor.sources))))


def find_scope(actor: Actor) -> Scope:
    """Return of which sources the actor may see entries, and counts of entries."""
    if actor.user is not None and not actor.user.has_perm(VIEW_ENTRY):
        return NOTHING
    return find_sources(actor)


def visible_sources(actor: Actor) -> QuerySet[Source]:
    return Source.objects.filter(find_sources(actor).condition("pk"))


def visible_entries(actor: Actor) -> EntryQuerySet:
    return Entry.objects.within(find_scope(actor))


def sees_everything(actor: Actor) -> bool:
    """Whether no entry is hidden from the actor. Runs no query for entries."""
    return find_scope(actor).everything


def sees_nothing(actor: Actor) -> bool:
    """Whether every entry is hidden from the actor. Runs no query for entries."""
    return find_scope(actor).is_empty


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
    if find_scope(actor).includes(source_id):
        return set()
    known = Entry.objects.filter(source=source_id, external_id__in=external_ids)
    return set(known.values_list("external_id", flat=True))


def sees_source(source_id: int | None, *, actor: Actor) -> bool:
    """Whether the actor sees the entries of the source, and so what tells of any of them."""
    return find_scope(actor).includes(source_id)


#: Of an actor who does not see everything, the newest failed entries, whose groups a list shows.
NEWEST_FAILURES = 5_000
#: For finding out whether a group has entries that are hidden.
_WHOLE_SECONDS = 0.2


def visible_groups(actor: Actor) -> QuerySet[ErrorGroup]:
    """Return the error groups for a list: those with a failed entry that the actor may see.

    For an actor from whom something is hidden only the newest of these entries are looked at.
    """
    if sees_everything(actor):
        return ErrorGroup.objects.all()
    newest = visible_entries(actor).failed().order_by("-failed_at", "-id")
    seen = newest.values_list("fingerprint", flat=True)[:NEWEST_FAILURES]
    return ErrorGroup.objects.filter(fingerprint__in=seen)


def sort_groups(found: QuerySet[ErrorGroup], *, actor: Actor) -> QuerySet[ErrorGroup]:
    """Sort ``visible_groups`` by the newest failure of each that the actor may see.

    Runs one query where something is hidden: what is hidden moves no group.
    """
    if sees_everything(actor):
        return found.order_by("-last_seen", "-id")
    newest = visible_entries(actor).failed().order_by("-failed_at", "-id")
    seen = newest.values_list("fingerprint", flat=True)[:NEWEST_FAILURES]
    sorted_ = Value(list(dict.fromkeys(seen)), output_field=ArrayField(TextField()))
    place = Func(sorted_, F("fingerprint"), function="array_position", output_field=IntegerField())
    return found.annotate(place=place).order_by("place", "-id")


def sees_group(fingerprint: str, *, actor: Actor) -> bool:
    """Whether nothing is hidden from the actor, or they may see a failed entry of the group."""
    if sees_everything(actor):
        return True
    return visible_entries(actor).failed().filter(fingerprint=fingerprint).exists()


def sees_whole_group(fingerprint: str, *, actor: Actor) -> bool:
    """Whether no failed entry of the group is hidden from the actor.

    What cannot be decided in time is False.
    """
    scope = find_scope(actor)
    if scope.everything or scope.is_empty:
        return scope.everything
    alike = Entry.objects.failed().filter(fingerprint=fingerprint)
    with suppress(OutOfTime), time_budget(_WHOLE_SECONDS):
        return not alike.exclude(scope.condition()).exists()
    return False


def visible_counts(actor: Actor) -> Mapping[str, int] | None:
    """Count entries by status as the actor sees them; None if they see no entry."""
    scope = find_scope(actor)
    return None if scope.is_empty else count_by_status(scope)
