"""Entries that somebody may not see, as a later change of ``visible_to`` could have it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from entries.models import EntryQuerySet

_visible_to = EntryQuerySet.visible_to


@contextmanager
def only_source(slug: str) -> Iterator[None]:
    """While it lasts, users see the entries of one source and of no other."""

    def narrowed(found: EntryQuerySet, user: Any) -> EntryQuerySet:
        return _visible_to(found, user).filter(source__slug=slug)

    with patch.object(EntryQuerySet, "visible_to", narrowed):
        yield
