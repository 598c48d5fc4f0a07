"""One group, and its lock, for who may see it; to decide about it takes seeing all of it."""

from django.db.models import QuerySet

from retry.access.permissions import VIEW_ALL_SOURCES
from retry.access.visibility import sees_group, sees_whole_group
from retry.error_groups.errors import ErrorGroupNotFound
from retry.errors import NotPermitted
from retry.models import ErrorGroup
from retry.outcomes import Actor


def find_group(group_id: int, *, actor: Actor) -> ErrorGroup:
    """Find a group of which the actor sees an entry. Raises ``ErrorGroupNotFound``."""
    return _find(ErrorGroup.objects.select_related("owner"), group_id, actor=actor)


def find_whole_group(group_id: int, *, actor: Actor) -> ErrorGroup:
    """Find a group. Raises as ``lock_group`` does."""
    return _require_whole(find_group(group_id, actor=actor), actor=actor)


def lock_group(group_id: int, *, actor: Actor) -> ErrorGroup:
    """Lock a group until the caller's transaction ends.

    What is said of a group is said of all its entries, of whichever source. Raises
    ``ErrorGroupNotFound``, and ``NotPermitted`` where failed entries of it are hidden.
    """
    locked = _find(ErrorGroup.objects.select_for_update(), group_id, actor=actor)
    return _require_whole(locked, actor=actor)


def _find(groups: QuerySet[ErrorGroup], group_id: int, *, actor: Actor) -> ErrorGroup:
    group = groups.filter(pk=group_id).first()
    if group is None or not sees_group(group.fingerprint, actor=actor):
        raise ErrorGroupNotFound(group_id)
    return group


def _require_whole(group: ErrorGroup, *, actor: Actor) -> ErrorGroup:
    if not sees_whole_group(group.fingerprint, actor=actor):
        raise NotPermitted(VIEW_ALL_SOURCES)
    return group
