"""Which page of the admin shows which model."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model

from entries.models import Endpoint, Entry, Source
from retry.admin.audit.admin import AuditEventAdmin
from retry.admin.endpoints.admin import AuditedEndpointAdmin
from retry.admin.entries.admin import RetryEntryAdmin
from retry.admin.error_groups.admin import ErrorGroupAdmin
from retry.admin.holds.admin import HoldAdmin
from retry.admin.imports.admin import ImportAdmin
from retry.admin.notices.notices import NoticeAdmin
from retry.admin.notices.subscriptions import SubscriptionAdmin
from retry.admin.operations.admin import OperationAdmin
from retry.admin.people.lockouts import AttemptAdmin, FailureAdmin, LogInAdmin
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
    User: AuditedUserAdmin,
    Group: AuditedGroupAdmin,
    AccessAttempt: AttemptAdmin,
    AccessFailureLog: FailureAdmin,
    AccessLog: LogInAdmin,
}


@cache
def load_pages() -> None:
    """Register what the apps bring, and our pages last, in place of some of those; once.

    Nothing is registered on import: Django imports the site, and with it many of our modules,
    before there is a site to register with.
    """
    admin.autodiscover()
    for model, page in PAGES.items():
        if admin.site.is_registered(model):
            admin.site.unregister(model)
        admin.site.register(model, page)
