"""Permissions in the language of the page; the database has their English names."""

from collections.abc import Mapping

from django.contrib.auth.models import Permission
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

#: Those that Django makes for each model.
_DEFAULTS: Mapping[str, Promise] = {
    "add": gettext_lazy("Can add %(model)s"),
    "change": gettext_lazy("Can change %(model)s"),
    "delete": gettext_lazy("Can delete %(model)s"),
    "view": gettext_lazy("Can view %(model)s"),
}


def name_permission(permission: Permission) -> str:
    """``Entries | entry | Can retry an entry``, as Django writes it in a list of choices."""
    model = permission.content_type.model_class()
    act, _, rest = permission.codename.partition("_")
    if model is None or act not in _DEFAULTS or rest != model._meta.model_name:
        name = gettext(permission.name)
    else:
        name = str(_DEFAULTS[act]) % {"model": model._meta.verbose_name}
    return f"{permission.content_type} | {name}"
