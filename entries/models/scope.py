"""Of which sources a user may see the entries, and with them everything that is about entries."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django.db.models import Exists, OuterRef, Q

from entries.models.source import NOTICE_SOURCE_KIND, Source
from entries.permissions import VIEW_ALL_SOURCES

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

#: Where a user object keeps its scope: it is read once, as the user's permissions are.
_KEPT = "_redrive_scope"


@dataclass(frozen=True, slots=True)
class Scope:
    """``everything``, or these sources, and with ``sourceless`` what has no source."""

    everything: bool = False
    #: In order, so that equal scopes are equal.
    source_ids: Sequence[int] = ()
    sourceless: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.everything or self.source_ids or self.sourceless)

    @property
    def key(self) -> str:
        """A part of a cache's key: the same for all who see the same."""
        return sha256(repr(self).encode()).hexdigest()[:16]

    def includes(self, source_id: int | None) -> bool:
        """Whether what is of that source may be seen; None: what has no source."""
        if self.everything:
            return True
        return self.sourceless if source_id is None else source_id in self.source_ids

    def condition(self, column: str = "source") -> Q:
        """Return the rows of the scope, by the column that has their source."""
        if self.everything:
            return Q()
        within = Q(**{f"{column}__in": self.source_ids})
        return within | Q(**{f"{column}__isnull": True}) if self.sourceless else within

    def narrow(self, other: "Scope") -> "Scope":
        """Return what is in both."""
        if self.everything or other.everything:
            return other if self.everything else self
        both = tuple(id_ for id_ in self.source_ids if id_ in set(other.source_ids))
        return Scope(source_ids=both, sourceless=self.sourceless and other.sourceless)

    def as_params(self) -> dict[str, Any]:
        """Return the parameters of the fragments ``in_scope``."""
        return {
            "everything": self.everything,
            "sources": list(self.source_ids),
            "sourceless": self.sourceless,
        }


EVERYTHING = Scope(everything=True)
NOTHING = Scope()


def find_sources(user: "AbstractBaseUser | AnonymousUser") -> Scope:
    """Find the sources that a user may see: those of no group, and those of a group of theirs.

    At most one statement for a user object, and none for users who see all by permission. What has
    no source is for all. Says nothing about the permission to see entries.
    """
    has_perm = getattr(user, "has_perm", None)
    if has_perm is None:
        return NOTHING
    if has_perm(VIEW_ALL_SOURCES):
        return EVERYTHING
    known: Scope | None = getattr(user, _KEPT, None)
    if known is None:
        known = _read_scope(user.pk)
        setattr(user, _KEPT, known)
    return known


def is_any_restricted() -> Exists:
    """Return whether any source belongs to a group, for a statement that reads a user anyway."""
    return Exists(Source.groups.through.objects.all())


def note_unrestricted(user: "AbstractBaseUser") -> None:
    """Spare ``find_sources`` its statement: no source belongs to a group."""
    setattr(user, _KEPT, EVERYTHING)


def _read_scope(user_id: int | None) -> Scope:
    """Read the scope of a user; no row is read while no source belongs to a group."""
    belongs = Source.groups.through.objects.filter(source=OuterRef("pk"))
    own = Exists(belongs.filter(group__user=user_id))
    sources = Source.objects.filter(is_any_restricted()).annotate(
        own=own, seen=~Exists(belongs) | own
    )
    rows = list(sources.order_by("pk").values_list("pk", "seen", "own", "kind"))
    if all(seen for _, seen, _, _ in rows):
        return EVERYTHING
    # Without a group of its own, what tells of every source is for those who see every source.
    ids = (pk for pk, seen, own, kind in rows if own or (seen and kind != NOTICE_SOURCE_KIND))
    return Scope(source_ids=tuple(ids), sourceless=True)
