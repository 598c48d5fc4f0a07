"""Searching for the reasons that people gave: what knows them registers itself here.

Reasons belong to what was done with entries, of which this app knows nothing.
"""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from django.db.models import Q

from entries.models import NOTHING, Scope
from entries.search_terms import ByReason


class ReasonSearch(Protocol):
    """Knows which entries something was asked for, for a reason that contains a text.

    Only reasons count that tell of nothing outside of a scope.
    """

    def build(self, text: str, *, scope: Scope, low: int = 0, high: int | None = None) -> Q:
        """Return the condition; ``low`` and ``high`` are the ids at the ends of what is looked at,
        where those are known.
        """

    def find_ids(self, text: str, *, scope: Scope, most: int) -> Sequence[int]:
        """Return ids of such entries, at most so many, of the newest of what was asked for."""


class _Nobody:
    """Finds nothing."""

    def build(self, text: str, *, scope: Scope, low: int = 0, high: int | None = None) -> Q:
        return Q(pk__in=())

    def find_ids(self, text: str, *, scope: Scope, most: int) -> Sequence[int]:
        return ()


_registered: list[ReasonSearch] = [_Nobody()]


def register(search: ReasonSearch) -> None:
    _registered[:] = [search]


def bind(scope: Scope = NOTHING, *, low: int = 0, high: int | None = None) -> ByReason:
    """Return what makes conditions of reasons, within a scope."""
    return partial(_registered[0].build, scope=scope, low=low, high=high)


def find_ids(text: str, *, scope: Scope, most: int) -> Sequence[int]:
    return _registered[0].find_ids(text, scope=scope, most=most)
