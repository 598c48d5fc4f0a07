"""Endpoints, with their edits in the audit."""

from django.contrib import admin

from entries.admin import EndpointAdmin
from entries.models import Endpoint
from retry.admin.audit.audited import AuditedAdmin

admin.site.unregister(Endpoint)


@admin.register(Endpoint)
class AuditedEndpointAdmin(AuditedAdmin, EndpointAdmin):
    pass
