"""The lock of one group, for who may see it."""

from retry.access.visibility import sees_group
from retry.error_groups.errors import ErrorGroupNotFound
from retry.models import ErrorGroup
from retry.outcomes import Actor


def lock_group(group_id: int, *, actor: Actor) -> ErrorGroup:
    """Lock a group until the caller's transaction ends. Raises ``ErrorGroupNotFound``."""
    locked = ErrorGroup.objects.select_for_update()
    group = locked.filter(pk=group_id).first()
    if group is None or not sees_group(group.fingerprint, actor=actor):
        raise ErrorGroupNotFound(group_id)
    return group
