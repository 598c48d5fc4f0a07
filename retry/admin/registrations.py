"""Which page of the admin shows which model."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.db.models import Model

from entries.models import Endpoint, Entry, Source
from retry.admin.audit.admin import AuditEventAdmin
from retry.admin.desk.site import DeskSite, join
from retry.admin.endpoints.admin import AuditedEndpointAdmin
from retry.admin.entries.admin import RetryEntryAdmin
from retry.admin.error_groups.admin import ErrorGroupAdmin
from retry.admin.holds.admin import HoldAdmin
from retry.admin.imports.admin import ImportAdmin
from retry.admin.notices.notices import NoticeAdmin
from retry.admin.notices.subscriptions import SubscriptionAdmin
from retry.admin.operations.admin import OperationAdmin
from retry.admin.people.tokens import ApiTokenAdmin
from retry.admin.people.users import AuditedGroupAdmin, AuditedUserAdmin
from retry.admin.runs.admin import RunAdmin
from retry.admin.sources.admin import SyncSourceAdmin
from retry.admin.syncs.admin import SyncAdmin
from retry.models import (
    ApiToken,
    AuditEvent,
    ErrorGroup,
    Hold,
    Import,
    Notice,
    Operation,
    Run,
    Subscription,
    Sync,
)

PAGES: Mapping[type[Model], "type[admin.ModelAdmin[Any]]"] = {
    Entry: RetryEntryAdmin,
    Source: SyncSourceAdmin,
    Endpoint: AuditedEndpointAdmin,
    ErrorGroup: ErrorGroupAdmin,
    Operation: OperationAdmin,
    Run: RunAdmin,
    Sync: SyncAdmin,
    Import: ImportAdmin,
    Hold: HoldAdmin,
    Notice: NoticeAdmin,
    Subscription: SubscriptionAdmin,
    AuditEvent: AuditEventAdmin,
    ApiToken: ApiTokenAdmin,
}


@cache
def load_pages() -> None:
    """Register our pages with the project's site; once.

    Where the site is the desk itself, what the apps bring is registered first, and our pages of
    people take the place of some of it. In another site only pages of our own models are added.

    Nothing is registered on import: Django imports the site, and with it many of our modules,
    before there is a site to register with.
    """
    pages = dict(PAGES)
    if isinstance(admin.site, DeskSite):
        admin.autodiscover()
        pages |= find_people()
    else:
        join(admin.site)
    for model, page in pages.items():
        if admin.site.is_registered(model):
            admin.site.unregister(model)
        admin.site.register(model, page)


def find_people() -> dict[type[Model], "type[admin.ModelAdmin[Any]]"]:
    """Return the pages of users, groups and failed log-ins, as far as the project has them."""
    found: dict[type[Model], type[admin.ModelAdmin[Any]]] = {Group: AuditedGroupAdmin}
    if get_user_model() is User:
        found[User] = AuditedUserAdmin
    if apps.is_installed("axes"):
        from retry.admin.people.lockouts import PAGES as LOCKOUTS

        found |= LOCKOUTS
    return found
