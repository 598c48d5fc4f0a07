"""Of which sources an actor may see counts: of those whose entries they see all."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from entries.budget import OutOfTime, time_budget
from entries.models import Entry, Source
from retry.access.visibility import sees_everything, sees_nothing, sees_source, visible_entries
from retry.outcomes import Actor

#: Sources that are looked at for an actor from whom something is hidden, and for how long each.
_MOST_SOURCES = 100
_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Scope:
    """``everything``, or these sources, and with ``sourceless`` what has no source."""

    everything: bool = False
    source_ids: Sequence[int] = ()
    sourceless: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.everything or self.source_ids or self.sourceless)

    @property
    def key(self) -> str:
        """A part of a cache's key: the same for all who see the same."""
        return sha256(repr(self).encode()).hexdigest()[:16]

    def as_params(self) -> dict[str, Any]:
        """Return the parameters of the fragment ``in_scope``."""
        return {
            "everything": self.everything,
            "sources": list(self.source_ids),
            "sourceless": self.sourceless,
        }


EVERYTHING = Scope(everything=True)


def find_scope(actor: Actor) -> Scope:
    """Find the scope of an actor; without queries where all or nothing may be seen.

    Counts know the source of an entry and not the entry: where a single one of a source is hidden,
    all counts of that source are. What cannot be decided in time counts as hidden.
    """
    if sees_everything(actor):
        return EVERYTHING
    if sees_nothing(actor):
        return Scope()
    ids = Source.objects.order_by("pk").values_list("pk", flat=True)[:_MOST_SOURCES]
    seen = tuple(id_ for id_ in ids if _sees_source(id_, actor=actor))
    return Scope(source_ids=seen, sourceless=_sees_sourceless(actor))


def _sees_source(source_id: int, *, actor: Actor) -> bool:
    with suppress(OutOfTime), time_budget(_SECONDS):
        return sees_source(source_id, actor=actor)
    return False


def _sees_sourceless(actor: Actor) -> bool:
    with suppress(OutOfTime), time_budget(_SECONDS):
        visible = visible_entries(actor).filter(source=None)
        hidden = Entry.objects.filter(source=None).exclude(pk__in=visible.values("pk"))
        return visible.exists() and not hidden.exists()
    return False
