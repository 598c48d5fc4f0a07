"""Operations: the list, the page of one, and what can be done with it."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from entries.admin import display
from entries.admin.filters import ChoiceFilter
from entries.admin.lists import BoundedList
from entries.admin.live import respond
from entries.phrases import show
from entries.repairs import Repair
from retry import service
from retry.access.permissions import VIEW_PAYLOAD
from retry.access.records import visible_operations
from retry.access.visibility import find_sources
from retry.admin.operations import words
from retry.admin.operations.address import get_return_query
from retry.admin.operations.forms import parse_start
from retry.admin.operations.items import build_items_context
from retry.admin.operations.page import build_live_context, build_verbs_context
from retry.admin.operations.preview import numbers_page, preview_page
from retry.admin.operations.repair import repair_page, undo_view
from retry.admin.operations.timeline import build_timeline_context
from retry.admin.shared.actions import describe_action
from retry.admin.shared.actor import get_actor
from retry.admin.shared.bar import Bar
from retry.admin.shared.entry_list import get_back, get_list_url
from retry.admin.shared.messages import add_messages
from retry.admin.shared.records import LiveRecordAdmin, StateFilter
from retry.admin.shared.refusals import show_refusals
from retry.admin.shared.selection import parse_reason
from retry.errors import OperationNotFound
from retry.models import Action, Operation, OperationState
from retry.operations.sight import find_operation, shield
from retry.operations.tallies import Tally, read_tallies
from retry.selection_words import describe_stored

_VERBS: dict[str, Callable[..., Operation]] = {
    "pause": service.pause_operation,
    "resume": service.resume_operation,
    "overrule": partial(service.resume_operation, overrule_canary=True),
    "cancel": service.cancel_operation,
    "approve": service.approve_operation,
    "reject": service.reject_operation,
    "reschedule": service.reschedule_operation,
}


class OperationStateFilter(StateFilter):
    enumeration = OperationState


class ActionFilter(ChoiceFilter):
    title = _("action")
    parameter_name = column = "action"
    enumeration = Action

    def get_label(self, choice: Any) -> str:
        return str(describe_action(choice.value).do)


class OperationList(BoundedList):
    def get_results(self, request: HttpRequest) -> None:
        """Read the tallies of the whole page in one statement."""
        super().get_results(request)
        actor = get_actor(request)
        self.result_list = shield(list(self.result_list), actor=actor)
        found = read_tallies([operation.pk for operation in self.result_list], actor=actor)
        for operation in self.result_list:
            vars(operation)["tally"] = found.get(operation.pk, Tally())


class OperationAdmin(LiveRecordAdmin[Operation]):
    list_display = (
        "what",
        "state_badge",
        "progress",
        "entries",
        "requester",
        "reason_words",
        "when",
    )
    list_display_links = ("what",)
    list_filter = (OperationStateFilter, ActionFilter)
    search_fields = ("actor_label", "reason", "selection_words")
    search_help_text = _("Searches who requested the operation, the reason and the selection.")
    ordering = ("-created_at",)
    change_form_template = "admin/retry/operation/change_form.html"
    change_list_template = "admin/retry/operation/change_list.html"
    blank_template = "retry/operation/none.html"
    live_template = "retry/operation/changed.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operation]:
        return visible_operations(get_actor(request)).order_by(*self.ordering)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Operation | None:
        found: Operation | None = super().get_object(request, object_id, from_field)
        return None if found is None else shield([found], actor=get_actor(request))[0]

    # --- the list ------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return OperationList

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search no words that may be about entries of hidden sources."""
        everything = find_sources(get_actor(request)).everything
        if everything and request.user.has_perm(VIEW_PAYLOAD):
            return self.search_fields
        return ("actor_label",)

    @admin.display(description=_("operation"))
    def what(self, operation: Operation) -> SafeString:
        return format_html(
            "<b>{}</b> {}",
            describe_action(operation.action).label,
            display.format_name(words.describe_selection(describe_stored(operation))),
        )

    @admin.display(description=_("entries"))
    def entries(self, operation: Operation) -> str:
        return intcomma(operation.total)

    def get_bar(self, record: Operation) -> Bar:
        tally: Tally = vars(record)["tally"]
        counts = {name: getattr(tally, name) for name in Tally.__slots__}
        return Bar.from_counts(counts, total=record.total, labels=words.OUTCOMES)

    # --- the page of one -----------------------------------------------------------------------

    def get_title(self, record: Operation) -> str:
        return words.get_title(record)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        operation = kwargs.get("obj")
        if operation is not None:
            context = context | {
                "pace": words.describe_pace(operation.rate_per_second),
                "failure_limit": words.describe_failure_limit(operation.max_failure_rate),
                "repair_text": display.format_json(Repair.build(operation.repair).mask())
                if operation.repair
                else "",
                "back_url": get_list_url(back) if (back := get_back(request.GET)) else "",
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def get_live_context(self, request: HttpRequest, record: Operation) -> dict[str, Any]:
        try:
            return build_live_context(request, record)
        except OperationNotFound as error:
            raise Http404 from error

    def get_stage_context(self, request: HttpRequest, live: dict[str, Any]) -> dict[str, Any]:
        verbs = build_verbs_context(request, live["progress"])
        operation: Operation = live["original"]
        timeline = build_timeline_context(request, operation)
        return verbs | timeline | _get_items(request, operation)

    def get_announcement(self, live: dict[str, Any]) -> str:
        operation: Operation = live["original"]
        known = {
            "state": gettext(operation.state.replace("_", " ")),
            "reason": show(operation.pause_reason),
        }
        if operation.pause_reason:
            return gettext("The operation is %(state)s: %(reason)s.") % known
        return gettext("The operation is %(state)s.") % known

    # --- its entries, and what can be done ------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def verb(name: str) -> URLPattern:
            view = self.admin_site.admin_view(require_POST(partial(self.verb_view, verb=name)))
            return path(f"<uuid:object_id>/{name}/", view, name=f"retry_operation_{name}")

        items = self.admin_site.admin_view(require_safe(self.items_view))
        timeline = self.admin_site.admin_view(require_safe(self.timeline_view))
        preview = self.admin_site.admin_view(preview_page)
        numbers = self.admin_site.admin_view(numbers_page)
        repair = self.admin_site.admin_view(repair_page)
        undo = self.admin_site.admin_view(undo_view)
        return [
            path("repair/", repair, name="retry_operation_repair"),
            path("<uuid:object_id>/undo/", undo, name="retry_operation_undo"),
            path("preview/", preview, name="retry_operation_preview"),
            path("preview/numbers/", numbers, name="retry_operation_numbers"),
            path("<uuid:object_id>/items/", items, name="retry_operation_items"),
            path("<uuid:object_id>/timeline/", timeline, name="retry_operation_timeline"),
            *map(verb, _VERBS),
            *super().get_urls(),
        ]

    def items_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        operation = self._find(request, object_id)
        context = _get_items(request, operation) | {"original": operation}
        return respond(request, context["items_live"], "retry/operation/items.html", context)

    def timeline_view(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        operation = self._find(request, object_id)
        context = build_timeline_context(request, operation)
        return respond(request, context["timeline_live"], "retry/operation/timeline.html", context)

    def _find(self, request: HttpRequest, operation_id: UUID) -> Operation:
        """Raises ``Http404``."""
        try:
            return find_operation(operation_id, actor=get_actor(request))
        except OperationNotFound as error:
            raise Http404 from error

    def verb_view(self, request: HttpRequest, object_id: UUID, verb: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        with show_refusals(request, missing=OperationNotFound):
            options = {"start_at": parse_start(request.POST)} if verb == "reschedule" else {}
            reason = parse_reason(request.POST)
            _VERBS[verb](object_id, actor=get_actor(request), reason=reason, **options)
            add_messages(request, words.describe_control(verb))
        page = reverse("admin:retry_operation_change", args=[object_id])
        query = get_return_query(request)
        return redirect(f"{page}?{query}" if query else page)


def _get_items(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """Return a page of the operation's entries; 404 for an address that has none."""
    try:
        return build_items_context(request, operation)
    except ValueError as error:
        raise Http404 from error
