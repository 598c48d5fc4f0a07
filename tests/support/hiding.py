"""Entries that somebody may not see, as if all sources but one belonged to groups of others."""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.contrib.auth.models import Group, User

from entries.models import Scope, Source, scope


@contextmanager
def only_source(slug: str) -> Iterator[None]:
    """While it lasts, users see the entries of one source and of no other.

    Nor what has no source, as with a token for one source; who sees all sources by permission does.
    """

    def read_scope(user_id: int | None) -> Scope:
        return Scope(
            source_ids=tuple(Source.objects.filter(slug=slug).values_list("pk", flat=True))
        )

    with patch.object(scope, "_read_scope", read_scope):
        yield


def hide_source(source: Source) -> Group:
    """Let only the members of a group see the source; returns the group."""
    group, _ = Group.objects.get_or_create(name="others")
    source.groups.add(group)
    return group


def forget_scope(user: User) -> User:
    """Return the user as the next request reads them."""
    return type(user).objects.get(pk=user.pk)
