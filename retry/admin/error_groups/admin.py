"""Error groups: the list, the page of one, and what people decide there."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from entries.admin import display
from retry.access.permissions import VIEW_ENTRY, VIEW_OPERATION
from retry.access.visibility import sees_everything, sees_group, sort_groups, visible_groups
from retry.admin.error_groups import words
from retry.admin.error_groups.filters import (
    GroupKindFilter,
    GroupStateFilter,
    GroupUpstreamFilter,
)
from retry.admin.error_groups.page import (
    build_evidence_context,
    build_live_context,
    build_verbs_context,
)
from retry.admin.error_groups.plots import build_plot_context, draw_day
from retry.admin.error_groups.rows import ErrorGroupList, get_entries_url
from retry.admin.error_groups.verbs import act, list_verbs
from retry.admin.operations.address import get_return_query
from retry.admin.shared.actor import get_actor
from retry.admin.shared.error_words import drop_address
from retry.admin.shared.messages import add_messages
from retry.admin.shared.records import LiveRecordAdmin
from retry.admin.shared.refusals import show_refusals
from retry.error_groups.errors import ErrorGroupNotFound
from retry.error_groups.overview import shield
from retry.error_groups.samples import find_sample
from retry.models import ErrorGroup

#: Names in a row of the list.
_MOST_NAMES = 3


class ErrorGroupAdmin(LiveRecordAdmin[ErrorGroup]):
    list_display = (
        "failed_now",
        "what",
        "lately",
        "first_failure",
        "last_failure",
        "state_badge",
        "last_operation",
    )
    list_display_links = None
    list_filter = (GroupStateFilter, GroupKindFilter, GroupUpstreamFilter)
    search_fields = ("error_class", "message", "note")
    search_help_text = _("Searches the error and the note.")
    list_per_page = 25
    list_select_related = ("owner",)
    path_converter = "int"
    change_form_template = "admin/retry/errorgroup/change_form.html"
    change_list_template = "admin/retry/errorgroup/change_list.html"
    blank_template = "retry/error_group/none.html"
    live_template = "retry/error_group/changed.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ErrorGroup]:
        actor = get_actor(request)
        return sort_groups(visible_groups(actor), actor=actor)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        everything = sees_everything(get_actor(request))
        return ("-last_seen", "-id") if everything else ("place", "-id")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> ErrorGroup | None:
        """Find a group of which the user may see an entry, however old that is."""
        found = ErrorGroup.objects.select_related("owner", "proof", "resolved_operation")
        if not object_id.isascii() or not object_id.isdigit() or len(object_id) > 18:
            return None
        group = found.filter(pk=object_id).first()
        actor = get_actor(request)
        if group is None or not sees_group(group.fingerprint, actor=actor):
            return None
        return shield([group], actor=actor)[0]

    # --- the list ------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return ErrorGroupList

    @admin.display(description=_("failed now"))
    def failed_now(self, group: Any) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            get_entries_url(group.fingerprint),
            words.describe_count(group.facts),
        )

    @admin.display(description=_("error"))
    def what(self, group: Any) -> SafeString:
        names = [*group.facts.upstreams[:_MOST_NAMES]]
        more = len(group.facts.upstreams) - len(names)
        where = format_html_join(", ", "<bdi>{}</bdi>", ((name,) for name in names))
        return format_html(
            '<a class="group-name" href="{}"><b>{}</b> {}</a>'
            '<span class="group-where">{}{} <span class="group-kinds">{}</span></span>',
            group.get_page_url(),
            display.format_name(group.error_class, length=60),
            display.format_name(drop_address(group.words) if names else group.words),
            where,
            f" +{more}" if more > 0 else "",
            ", ".join(group.facts.kinds[:_MOST_NAMES]),
        )

    @admin.display(description=_("24 hours"))
    def lately(self, group: Any) -> SafeString | str:
        return draw_day(group.values)

    @admin.display(description=_("first seen"))
    def first_failure(self, group: Any) -> SafeString | str:
        return display.format_moment(group.facts.first_seen)

    @admin.display(description=_("last seen"))
    def last_failure(self, group: Any) -> SafeString | str:
        return display.format_moment(group.facts.last_seen)

    @admin.display(description=_("state"))
    def state_badge(self, record: Any) -> SafeString:
        """The state, its owner and its note."""
        badge = display.format_badge(record.state)
        if not record.owner and not record.note:
            return badge
        return format_html(
            '{} <span class="group-owner">{}</span><span class="group-note">{}</span>',
            badge,
            display.format_name(record.owner.get_username()) if record.owner else "",
            display.format_name(record.note, length=80),
        )

    @admin.display(description=_("last operation"))
    def last_operation(self, group: Any) -> SafeString | str:
        if group.last is None:
            return display.NOTHING
        page = reverse("admin:retry_operation_change", args=[group.last.operation.pk])
        return format_html('<a href="{}">{}</a>', page, words.describe_last(group.last))

    # --- the page of one -----------------------------------------------------------------------

    def get_title(self, record: ErrorGroup) -> str:
        return record.error_class

    def get_live_context(self, request: HttpRequest, record: ErrorGroup) -> dict[str, Any]:
        query = get_return_query(request)
        url = self.get_live_url(record)
        context = build_live_context(request, record, url=f"{url}?{query}" if query else url)
        return context | {"return_query": query}

    def get_stage_context(self, request: HttpRequest, live: dict[str, Any]) -> dict[str, Any]:
        group = live["original"]
        sample = find_sample(group, actor=get_actor(request))
        return build_verbs_context(request, group, live["facts"], sample) | {"sample": sample}

    def get_announcement(self, live: dict[str, Any]) -> str:
        return gettext("The group is %(state)s.") % {"state": gettext(live["original"].state)}

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        response = super().render_change_form(request, context, *args, **kwargs)
        shown = getattr(response, "context_data", None)
        if shown is not None and "sample" in shown:
            shown |= build_evidence_context(
                request, shown["original"], shown["facts"], shown["sample"]
            )
            shown |= build_plot_context(request, shown["original"])
        return response

    # --- what can be done ------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def verb(name: str) -> URLPattern:
            view = self.admin_site.admin_view(require_POST(partial(self.verb_view, verb=name)))
            return path(f"<int:object_id>/{name}/", view, name=f"retry_errorgroup_{name}")

        find = self.admin_site.admin_view(require_safe(self.find_view))
        return [
            path("find/", find, name="retry_errorgroup_find"),
            *map(verb, list_verbs()),
            *super().get_urls(),
        ]

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """Lead from an entry to its group, or to the list of what is failed so: for users who may
        not see groups, and where there is none yet.
        """
        if not request.user.has_perm(VIEW_ENTRY):
            raise PermissionDenied
        fingerprint = request.GET.get("fingerprint", "").replace("\0", "")[:40]
        if self.has_view_permission(request):
            group = ErrorGroup.objects.filter(fingerprint=fingerprint).first()
            if group is not None and sees_group(fingerprint, actor=get_actor(request)):
                return redirect("admin:retry_errorgroup_change", group.pk)
        return redirect(get_entries_url(fingerprint))

    def verb_view(self, request: HttpRequest, object_id: int, verb: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        page = reverse("admin:retry_errorgroup_change", args=[object_id])
        with show_refusals(request, missing=ErrorGroupNotFound):
            operation = act(verb, object_id, request)
            if operation is None:
                add_messages(request, words.describe_verb(verb))
            elif request.user.has_perm(VIEW_OPERATION):
                page = reverse("admin:retry_operation_change", args=[operation.pk])
            else:
                add_messages(request, words.describe_proof(operation))
        query = get_return_query(request)
        return redirect(f"{page}?{query}" if query else page)
