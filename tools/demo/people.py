"""The demo's people: who is on call, and who helps."""

from collections.abc import Mapping, Sequence

from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from entries import permissions as entries
from retry import edits
from retry.access import permissions as desk
from retry.outcomes import Actor, Channel

_SEES = (
    entries.VIEW_ENTRY,
    entries.VIEW_SOURCE,
    "entries.view_endpoint",
    desk.VIEW_OPERATION,
    desk.VIEW_RUN,
    desk.VIEW_SYNC,
    desk.VIEW_HOLD,
    desk.VIEW_ERROR_GROUP,
    desk.VIEW_STATUS,
)
_HELPS = (*_SEES, entries.RETRY_ENTRY, entries.RESYNC_ENTRY, entries.EXPORT_ENTRY)
#: What the members of each group may do.
GROUPS: Mapping[str, Sequence[str]] = {
    "Support": _HELPS,
    "On call": (
        *_HELPS,
        entries.CHANGE_ENTRY,
        entries.DISCARD_ENTRY,
        entries.SUBMIT_ENTRY,
        entries.SYNC_SOURCE,
        desk.MANAGE_HOLD,
        desk.MANAGE_ERROR_GROUP,
        desk.APPROVE_OPERATION,
        desk.SHARE_VIEW,
        desk.VIEW_AUDIT,
    ),
}
#: Their names are their passwords, as for ``admin``.
MEMBERS: Mapping[str, str] = {"anna": "On call", "ben": "Support"}


def add_people(*, actor: Actor) -> None:
    """Add the users and groups that are missing."""
    for name, permissions in GROUPS.items():
        with transaction.atomic():
            group, missing = Group.objects.get_or_create(name=name)
            if missing:
                group.permissions.set(_find_permission(label) for label in permissions)
                edits.record_addition(group, actor=actor)
    for username, group_name in MEMBERS.items():
        if User.objects.filter(username=username).exists():
            continue
        with transaction.atomic():
            email = f"{username}@example.com"
            user = User.objects.create_user(username, email, username, is_staff=True)
            user.groups.add(Group.objects.get(name=group_name))
            edits.record_addition(user, actor=actor)


def find_actor(username: str) -> Actor:
    """Return a user as who acts in the admin."""
    return Actor.from_user(User.objects.get(username=username), channel=Channel.ADMIN)


def _find_permission(label: str) -> Permission:
    app, codename = label.split(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)
