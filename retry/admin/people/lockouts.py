"""Failed log-ins, as django-axes stores them. Deleting one unlocks the account."""

from collections.abc import Mapping
from typing import Any

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin import ModelAdmin
from django.db.models import Model
from django.http import HttpRequest

from entries.admin.lists import ListAdmin
from retry.admin.shared.audited import AuditedAdmin


class _LogInAdmin(AuditedAdmin, ListAdmin[Any]):
    """May be viewed and deleted, nothing else."""

    actions = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AttemptAdmin(_LogInAdmin, AccessAttemptAdmin):
    pass


class FailureAdmin(_LogInAdmin, AccessFailureLogAdmin):
    pass


class LogInAdmin(_LogInAdmin, AccessLogAdmin):
    pass


PAGES: Mapping[type[Model], "type[ModelAdmin[Any]]"] = {
    AccessAttempt: AttemptAdmin,
    AccessFailureLog: FailureAdmin,
    AccessLog: LogInAdmin,
}
