"""Endpoints, with their edits in the audit."""

from entries.admin import EndpointAdmin
from retry.admin.shared.audited import AuditedAdmin


class AuditedEndpointAdmin(AuditedAdmin, EndpointAdmin):
    pass
