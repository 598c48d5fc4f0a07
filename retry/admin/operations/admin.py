"""Operations: the list, the page that keeps itself up to date, and what can be done to one."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from entries.admin import show
from entries.admin.filters import EqualFilter
from entries.admin.listing import ReadOnlyAdmin
from retry.admin.audit.audited import AuditedAdmin
from retry.admin.entries.criteria import back_of, list_url
from retry.admin.operations import progress as standing
from retry.admin.operations.preview import preview_page
from retry.admin.shared import messages as words
from retry.admin.shared.acting import actor_of
from retry.admin.shared.bar import Bar
from retry.admin.shared.selection import SelectionRefused, reason_of
from retry.errors import NotPermitted, OperationNotFound, RetryError
from retry.models import Action, Operation, OperationState
from retry.operations import control
from retry.operations.tallies import Tally, read_tallies

_VERBS: dict[str, Callable[..., Operation]] = {
    "pause": control.pause,
    "resume": control.resume,
    "overrule": partial(control.resume, overrule_canary=True),
    "cancel": control.cancel,
}


class StateFilter(EqualFilter):
    title = "state"
    parameter_name = column = "state"
    closed = True

    def offered(self) -> list[tuple[str, str]]:
        return [(state.value, state.value) for state in OperationState]


class ActionFilter(EqualFilter):
    title = "action"
    parameter_name = column = "action"
    closed = True

    def offered(self) -> list[tuple[str, str]]:
        return [(action.value, action.value) for action in Action]


class OperationList(ChangeList):
    def get_results(self, request: HttpRequest) -> None:
        """With the tallies of all on the page, read at once."""
        super().get_results(request)
        found = read_tallies(operation.pk for operation in self.result_list)
        for operation in self.result_list:
            vars(operation)["tally"] = found.get(operation.pk, Tally())


@admin.register(Operation)
class OperationAdmin(AuditedAdmin, ReadOnlyAdmin[Operation]):
    list_display = ("what", "state_shown", "how_far", "total_shown", "asked_by", "why", "when")
    list_display_links = ("what",)
    list_filter = (StateFilter, ActionFilter)
    search_fields = ("actor_label", "reason", "selection_words")
    search_help_text = "Searches who asked, why, and for what."
    ordering = ("-created_at",)
    list_per_page = 25
    change_form_template = "admin/retry/operation/change_form.html"

    # --- the list ------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OperationList

    @admin.display(description="operation")
    def what(self, operation: Operation) -> SafeString:
        do = words.of_action(operation.action).do.capitalize()
        return format_html("<b>{}</b> {}", do, show.name(operation.selection_words))

    @admin.display(description="state")
    def state_shown(self, operation: Operation) -> SafeString:
        return show.badge(operation.state)

    @admin.display(description="so far")
    def how_far(self, operation: Operation) -> SafeString:
        tally: Tally = vars(operation)["tally"]
        counts = {name: getattr(tally, name) for name in Tally.__slots__}
        return render_to_string(
            "retry/operation/bar.html", {"bar": Bar.of(counts, total=operation.total)}
        )

    @admin.display(description="entries")
    def total_shown(self, operation: Operation) -> str:
        return f"{operation.total:,}"

    @admin.display(description="asked by")
    def asked_by(self, operation: Operation) -> str:
        return operation.actor_label

    @admin.display(description="reason")
    def why(self, operation: Operation) -> SafeString | str:
        return show.name(operation.reason) if operation.reason else show.NOTHING

    @admin.display(description="when")
    def when(self, operation: Operation) -> SafeString | str:
        return show.moment(operation.created_at)

    # --- the page of one -----------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Operation | None = None) -> Any:
        """None: the page is drawn by its own templates."""
        return ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        operation = kwargs.get("obj")
        if operation is not None:
            title = {
                "title": words.operation_title(operation),
                "subtitle": None,
                "pace": words.of_pace(operation.rate_per_second),
                "back_url": list_url(back) if (back := back_of(request.GET)) else "",
                "failure_limit": words.of_failure_rate(operation.max_failure_rate),
            }
            live = standing.live_context(request, operation.pk)
            context = context | title | live | _what_follows(request, live)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- what keeps itself up to date, and what can be done --------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def verb(name: str) -> URLPattern:
            view = self.admin_site.admin_view(require_POST(partial(self.verb_view, verb=name)))
            return path(f"<uuid:object_id>/{name}/", view, name=f"retry_operation_{name}")

        live = self.admin_site.admin_view(require_safe(self.live_view))
        items = self.admin_site.admin_view(require_safe(self.items_view))
        preview = self.admin_site.admin_view(preview_page)
        return [
            path("preview/", preview, name="retry_operation_preview"),
            path("<uuid:object_id>/live/", live, name="retry_operation_live"),
            path("<uuid:object_id>/items/", items, name="retry_operation_items"),
            *map(verb, _VERBS),
            *super().get_urls(),
        ]

    def live_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """What changes while it runs; 204 while it is what the browser has ``seen``. Once the
        state is another, all that depends on it comes along.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            context = standing.live_context(request, object_id)
        except OperationNotFound as error:
            raise Http404 from error
        seen = request.GET.get("seen", "")
        if seen == context["version"] and context["active"]:
            return HttpResponse(status=204)
        if standing.moved(context, seen):
            context |= _what_follows(request, context) | {"moved": True}
        return TemplateResponse(request, "retry/operation/changed.html", context)

    def items_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """The page of entries alone; 204 while it is what the browser has ``seen``."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        operation = get_object_or_404(Operation, pk=object_id)
        context = _listed(request, operation) | {"original": operation}
        if request.GET.get("seen") == context["items_version"] and context["active"]:
            return HttpResponse(status=204)
        return TemplateResponse(request, "retry/operation/items.html", context)

    def verb_view(self, request: HttpRequest, object_id: UUID, verb: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            _VERBS[verb](object_id, actor=actor_of(request), reason=reason_of(request.POST))
        except NotPermitted as error:
            raise PermissionDenied from error
        except OperationNotFound as error:
            raise Http404 from error
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
        except RetryError as error:
            words.show(request, [words.of_refusal(error)])
        else:
            words.show(request, [words.of_control(verb)])
        page = reverse("admin:retry_operation_change", args=[object_id])
        kept = standing.lists_kept(request)
        return redirect(f"{page}?{kept}" if kept else page)


def _what_follows(request: HttpRequest, live: dict[str, Any]) -> dict[str, Any]:
    """What can be done with it, and what became of each entry."""
    verbs = standing.verbs_context(request, live["progress"])
    return verbs | _listed(request, live["original"])


def _listed(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """404 for a page of entries that there cannot be."""
    try:
        return standing.items_context(request, operation)
    except ValueError as error:
        raise Http404 from error


def operation_link(operation_id: UUID | None) -> SafeString | str:
    if operation_id is None:
        return show.NOTHING
    url = reverse("admin:retry_operation_change", args=[operation_id])
    return format_html('<a href="{}">{}</a>', url, operation_id.hex[:8])
