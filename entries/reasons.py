"""Searching for the reasons that people gave: what knows them registers itself here.

Reasons belong to what was done with entries, of which this app knows nothing.
"""

from functools import partial
from typing import Protocol

from django.db.models import Q

from entries.models import Scope
from entries.search_terms import ByReason, find_none


class ReasonSearch(Protocol):
    """Builds a condition of entries: they were put to work for a reason that contains ``text``.

    Only reasons count of which nothing is outside of the ``scope``. ``near``: few entries are
    looked at, so the condition need not find them.
    """

    def __call__(self, text: str, *, scope: Scope, near: bool) -> Q: ...


_registered: list[ReasonSearch] = []


def register(search: ReasonSearch) -> None:
    _registered[:] = [search]


def bind(scope: Scope, *, near: bool = False) -> ByReason:
    """Return the search for reasons within a scope; without a registered one it finds nothing."""
    return partial(_registered[0], scope=scope, near=near) if _registered else find_none
