"""Lists with actions, and pages whose buttons do something to one object."""

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from retry.admin.shared.selection import ActionsForm, SelectionRefused, parse_selection

if TYPE_CHECKING:
    _ModelAdmin = ModelAdmin[Any]
else:
    _ModelAdmin = ModelAdmin


class VerbsAdmin(_ModelAdmin):
    """Checks the selection before an action gets it, and leads back to the filtered list."""

    action_form = ActionsForm
    #: The actions accept everything behind the list's filters, not only ticked rows.
    selects_all_pages = False

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Refuse an invalid selection before Django queries the database with it."""
        try:
            parse_selection(request.POST, allow_all_pages=self.selects_all_pages)
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset, *args, **kwargs)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"selects_all_pages": self.selects_all_pages}
        return super().changelist_view(request, context | (extra_context or {}))

    def redirect_to(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Redirect to the page of ``obj``, keeping the filters of its list."""
        return HttpResponseRedirect(self.keep_filters(request, self.get_page_url(obj)))

    def get_page_url(self, obj: Model) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])

    def keep_filters(self, request: HttpRequest, url: str) -> str:
        """Add the filters of the list that the page was reached from."""
        filters = self.get_preserved_filters(request)
        return add_preserved_filters({"preserved_filters": filters, "opts": self.opts}, url)
