"""API tokens: who has one, and revoking. They are made on the server, which shows them once."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from entries.admin import display
from entries.admin.lists import ReadOnlyAdmin
from retry import service
from retry.access.permissions import DELETE_TOKEN
from retry.admin.shared.actor import get_actor
from retry.admin.shared.audited import AuditedAdmin
from retry.models import ApiToken


class ApiTokenAdmin(AuditedAdmin, ReadOnlyAdmin[ApiToken]):
    list_display = ("name", "user", "created", "expires", "last_used")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    ordering = ("-created_at",)
    fields = ("name", "user", "created", "expires", "last_used")
    actions = ("delete_selected",)

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return request.user.has_perm(DELETE_TOKEN)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found = super().get_actions(request).values()
        return {each[1]: (each[0], each[1], str(_("Revoke selected"))) for each in found if each}

    def delete_model(self, request: HttpRequest, obj: ApiToken) -> None:
        service.revoke_tokens([obj], actor=get_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        service.revoke_tokens(queryset.select_related("user"), actor=get_actor(request))

    @admin.display(description=_("created"))
    def created(self, token: ApiToken) -> SafeString | str:
        return display.format_moment(token.created_at)

    @admin.display(description=_("expires"))
    def expires(self, token: ApiToken) -> SafeString | str:
        return display.format_moment(token.expires_at)

    @admin.display(description=_("last used"))
    def last_used(self, token: ApiToken) -> SafeString | str:
        return display.format_moment(token.last_used_at)
