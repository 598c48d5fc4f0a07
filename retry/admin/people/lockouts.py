"""Log-ins that failed, as django-axes keeps them; deleting one lets somebody try again."""

from typing import Any

from axes.admin import AccessAttemptAdmin, AccessFailureLogAdmin, AccessLogAdmin
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.http import HttpRequest

from retry.admin.audit.audited import AuditedAdmin

for _model in (AccessAttempt, AccessFailureLog, AccessLog):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class _LogInAdmin(AuditedAdmin):
    """To look at and to delete, one by one or selected; nothing else writes."""

    actions = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(AccessAttempt)
class AttemptAdmin(_LogInAdmin, AccessAttemptAdmin):
    pass


@admin.register(AccessFailureLog)
class FailureAdmin(_LogInAdmin, AccessFailureLogAdmin):
    pass


@admin.register(AccessLog)
class LogInAdmin(_LogInAdmin, AccessLogAdmin):
    pass
