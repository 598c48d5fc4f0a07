"""Names of permissions in the language of the page; the database has their English names."""

from django.contrib.auth.models import Permission
from django.utils.translation import gettext, gettext_noop

#: Of the permissions that Django makes for each model.
_DEFAULT = {
    "add": gettext_noop("Can add %(model)s"),
    "change": gettext_noop("Can change %(model)s"),
    "delete": gettext_noop("Can delete %(model)s"),
    "view": gettext_noop("Can view %(model)s"),
}


def describe_permission(permission: Permission) -> str:
    """Return ``Operations | operation | Can approve what others have requested``."""
    return f"{permission.content_type} | {_translate(permission)}"


def _translate(permission: Permission) -> str:
    model = permission.content_type.model_class()
    action = permission.codename.partition("_")[0]
    if model is not None and permission.codename == f"{action}_{model._meta.model_name}":
        text = _DEFAULT.get(action)
        # One of our own may have such a codename and say more.
        if text and permission.name == text % {"model": model._meta.verbose_name_raw}:
            return gettext(text) % {"model": model._meta.verbose_name}
    return gettext(permission.name)
