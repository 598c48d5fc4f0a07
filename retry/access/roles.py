"""Three groups to begin with: who looks, who operates, who administrates."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.db.models import Q

from retry.access.permissions import (
    ADD_TOKEN,
    CHANGE_ENTRY,
    DISCARD_ENTRY,
    EXPORT_ENTRY,
    MANAGE_ERROR_GROUP,
    MANAGE_HOLD,
    RESYNC_ENTRY,
    RETRY_ENTRY,
    SUBMIT_ENTRY,
    SYNC_SOURCE,
    VIEW_ENTRY,
    VIEW_ERROR_GROUP,
    VIEW_HOLD,
    VIEW_OPERATION,
    VIEW_PAYLOAD,
    VIEW_RUN,
    VIEW_SOURCE,
    VIEW_STATUS,
    VIEW_SYNC,
)

VIEWERS: Final = "Viewers"
OPERATORS: Final = "Operators"
ADMINISTRATORS: Final = "Administrators"
_APPS = ("entries", "retry", "auth")
_LOOKING = (
    VIEW_ENTRY,
    VIEW_SOURCE,
    VIEW_OPERATION,
    VIEW_RUN,
    VIEW_SYNC,
    VIEW_HOLD,
    VIEW_ERROR_GROUP,
    VIEW_STATUS,
)
_OPERATING = (
    *_LOOKING,
    VIEW_PAYLOAD,
    RETRY_ENTRY,
    RESYNC_ENTRY,
    DISCARD_ENTRY,
    CHANGE_ENTRY,
    SUBMIT_ENTRY,
    EXPORT_ENTRY,
    SYNC_SOURCE,
    MANAGE_HOLD,
    MANAGE_ERROR_GROUP,
    ADD_TOKEN,  # of one's own, within one's own rights
)
#: Group -> what it may do; None for everything in these apps.
ROLES: Mapping[str, Sequence[str] | None] = {
    VIEWERS: _LOOKING,
    OPERATORS: _OPERATING,
    ADMINISTRATORS: None,
}


def create_roles(apps: Any = installed) -> None:
    """Create the groups that are missing; one that is there is left as it is.

    Creates the permissions first, which Django does only after all migrations.
    """
    for name in _APPS:
        create_permissions(installed.get_app_config(name), verbosity=0)
    groups, permissions = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, granted in ROLES.items():
        group, created = groups.objects.get_or_create(name=name)
        if created:
            found = permissions.objects.filter(content_type__app_label__in=_APPS)
            group.permissions.set(found if granted is None else found.filter(_match(granted)))


def _match(granted: Sequence[str]) -> Q:
    matched = Q(pk__in=())
    for app, codename in (name.split(".") for name in granted):
        matched |= Q(content_type__app_label=app, codename=codename)
    return matched
