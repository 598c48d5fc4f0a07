"""API tokens: make one, which is shown once; narrow it, revoke it."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_variables

from entries.admin import display
from entries.admin.lists import ReadOnlyAdmin
from entries.phrases import show
from retry import service
from retry.access.errors import TokenNotFound, TokenRefused
from retry.access.permissions import ADD_TOKEN, DELETE_TOKEN, ISSUE_TOKEN, VIEW_TOKEN
from retry.admin.people.token_form import NewTokenForm, TermsForm
from retry.admin.people.token_words import (
    count_sources,
    describe_scopes,
    describe_state,
    list_sources,
)
from retry.admin.shared.actor import get_actor
from retry.admin.shared.audited import AuditedAdmin
from retry.errors import NotPermitted
from retry.models import ApiToken

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_ADD_PAGE = "admin/retry/apitoken/add.html"
_PAGE = "admin/retry/apitoken/page.html"
_MADE_PAGE = "admin/retry/apitoken/made.html"


class ApiTokenAdmin(AuditedAdmin, ReadOnlyAdmin[ApiToken]):
    """All tokens, or for who may only make tokens their own."""

    list_display = ("name", "user", "may", "where", "created", "expires", "last_used", "state")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    ordering = ("-created_at",)
    actions = ("delete_selected",)
    blank_template = "retry/token/none.html"
    change_list_template = "admin/retry/apitoken/change_list.html"

    # --- who --------------------------------------------------------------------------------------

    def has_view_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        if request.user.has_perm(VIEW_TOKEN):
            return True
        own = obj is None or obj.user_id == request.user.pk
        return own and request.user.has_perm(ADD_TOKEN)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ADD_TOKEN) or request.user.has_perm(ISSUE_TOKEN)

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """To revoke: all, or one's own."""
        own = obj is not None and obj.user_id == request.user.pk
        return own or request.user.has_perm(DELETE_TOKEN)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        found = super().get_queryset(request)
        others = (VIEW_TOKEN, DELETE_TOKEN)
        if any(request.user.has_perm(permission) for permission in others):
            return found
        return found.filter(user=request.user.pk)

    # --- the list ---------------------------------------------------------------------------------

    @admin.display(description=pgettext_lazy("token", "may"))
    def may(self, token: ApiToken) -> str:
        return describe_scopes(token)

    @admin.display(description=_("sources"))
    def where(self, token: ApiToken) -> str:
        return count_sources(token)

    @admin.display(description=_("created"))
    def created(self, token: ApiToken) -> SafeString | str:
        return display.format_moment(token.created_at)

    @admin.display(description=_("expires"))
    def expires(self, token: ApiToken) -> SafeString | str:
        return display.format_moment(token.expires_at)

    @admin.display(description=_("last used"))
    def last_used(self, token: ApiToken) -> SafeString | str:
        return display.format_moment(token.last_used_at)

    @admin.display(description=_("state"))
    def state(self, token: ApiToken) -> str:
        return describe_state(token)

    # --- make one ---------------------------------------------------------------------------------

    @method_decorator(csrf_protect)
    @method_decorator(sensitive_variables("token"))
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Make a token and show it in the answer itself: it is kept nowhere, so no other page can.

        A form that is sent again finds its name taken and makes no second one.
        """
        if not self.has_add_permission(request):
            raise PermissionDenied
        actor = get_actor(request)
        form = NewTokenForm(request.POST if request.method == "POST" else None, actor=actor)
        if form.is_valid():
            user = form.cleaned_data.get("user") or cast("User", request.user)
            name = form.cleaned_data["name"]
            try:
                token = service.create_token(
                    user, name=name, actor=actor, terms=form.build_terms(), replaces=False
                )
            except TokenRefused as error:
                _add_error(form, error)
            except NotPermitted as error:
                form.add_error("user" if "user" in form.fields else None, show(error))
            else:
                title = gettext("Token “%(name)s”") % {"name": name}
                made = {"title": title, "token": token, "owner": user}
                answer = self._render(request, _MADE_PAGE, made)
                add_never_cache_headers(answer)
                return answer
        return self._render(request, _ADD_PAGE, {"title": gettext("Make a token"), "form": form})

    # --- the page of one --------------------------------------------------------------------------

    @method_decorator(csrf_protect)
    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        token = self.get_object(request, object_id)
        if token is None or not self.has_view_permission(request, token):
            raise Http404
        actor = get_actor(request)
        may_change = token.revoked_at is None and self._may_change(request, token)
        if request.method == "POST" and not may_change:
            raise PermissionDenied
        sent = request.POST if request.method == "POST" else None
        form = TermsForm(sent, actor=actor, token=token)
        if form.is_valid():
            try:
                service.change_token(token.pk, terms=form.build_terms(), actor=actor)
            except TokenRefused as error:
                _add_error(form, error)
            except NotPermitted as error:
                raise PermissionDenied from error
            except TokenNotFound as error:
                raise Http404 from error
            else:
                messages.success(request, gettext("The token is changed."))
                return redirect(request.path)
        context = {
            "title": gettext("Token “%(name)s”") % {"name": token.name},
            "token": token,
            "form": form if may_change else None,
            "may_revoke": token.revoked_at is None and self.has_delete_permission(request, token),
            "may": describe_scopes(token),
            "sources": list_sources(token, actor=actor),
            "state": describe_state(token),
        }
        return self._render(request, _PAGE, context)

    def _may_change(self, request: HttpRequest, token: ApiToken) -> bool:
        own = token.user_id == request.user.pk
        return request.user.has_perm(ADD_TOKEN if own else ISSUE_TOKEN)

    def _render(self, request: HttpRequest, template: str, more: dict[str, Any]) -> HttpResponse:
        context = self.admin_site.each_context(request) | {"opts": self.opts} | more
        return TemplateResponse(request, template, context)

    # --- revoke -----------------------------------------------------------------------------------

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found = super().get_actions(request).values()
        return {each[1]: (each[0], each[1], gettext("Revoke selected")) for each in found if each}

    def delete_model(self, request: HttpRequest, obj: ApiToken) -> None:
        """Revoke it. Django deletes what its page is about; a token stays known as revoked."""
        service.revoke_tokens([obj], actor=get_actor(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        service.revoke_tokens(queryset.select_related("user"), actor=get_actor(request))

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        messages.success(request, gettext("Revoked: %(token)s.") % {"token": obj_display})
        return redirect("admin:retry_apitoken_changelist")


def _add_error(form: TermsForm, error: TokenRefused) -> None:
    known = error.field if error.field in form.fields else None
    form.add_error(known, show(error))
