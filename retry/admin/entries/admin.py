"""Entries with actions: on one, on ticked ones, and on everything behind the list's filters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, cast
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from entries.admin import EntryAdmin
from entries.filters import EntryFilter
from entries.models import Attempt, Entry, EntryQuerySet
from entries.states import EntryStatus
from retry import service
from retry.access.permissions import OPERATE, RESYNC_ENTRY, RETRY_ENTRY
from retry.admin.entries.facets import FacetCounts
from retry.admin.entries.next_failed import NextFailure
from retry.admin.entries.outcomes import OutcomesPage, link_to_outcomes
from retry.admin.entries.reasons import find_runs
from retry.admin.entries.toolbar import list_buttons
from retry.admin.entries.verbs import EntryVerbs
from retry.admin.entries.views import SavedViews
from retry.admin.error_groups.address import get_alike_url
from retry.admin.exports.page import EntryExport
from retry.admin.holds.words import explain_entry
from retry.admin.imports.upload import EntryImport
from retry.admin.operations.address import get_preview_url
from retry.admin.operations.launch import launch
from retry.admin.operations.repair import get_repair_url, may_repair
from retry.admin.shared.actions import describe_action
from retry.admin.shared.actor import get_actor
from retry.admin.shared.audited import AuditedAdmin
from retry.admin.shared.entry_list import parse_list_filter
from retry.admin.shared.messages import add_messages, describe_refusal, describe_selection
from retry.admin.shared.selection import SelectionRefused, parse_selection
from retry.errors import RetryError
from retry.models import Action, Run
from retry.operations.selection import Selection
from retry.outcomes import ItemOutcome, QueueOutcome

#: More ticked entries become an operation, whose page shows what comes of them.
MOST_AT_ONCE = 25


class RetryEntryAdmin(
    AuditedAdmin,
    SavedViews,
    FacetCounts,
    OutcomesPage,
    EntryImport,
    EntryExport,
    EntryVerbs,
    NextFailure,
    EntryAdmin,
):
    actions = (
        "retry_selected",
        "resync_selected",
        "retry_now_selected",
        "stop_selected",
        "discard_selected",
        "restore_selected",
        "repair_selected",
    )
    selects_all_pages = True
    change_form_template = "admin/retry/entry/change_form.html"
    change_list_template = "admin/retry/entry/change_list.html"
    blank_template = "retry/entry/none.html"
    notice_template: ClassVar[str | None] = "retry/hold/notice.html"
    run_template: ClassVar[str | None] = "retry/run/summary.html"

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RETRY_ENTRY)

    def has_resync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RESYNC_ENTRY)

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(OPERATE[Action.DISCARD])

    def has_repair_permission(self, request: HttpRequest) -> bool:
        return may_repair(request.user)

    # --- the list ------------------------------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        """Search as an operation's filter does, so that both find the same entries."""
        text = search_term.strip()
        scope = cast("EntryQuerySet", queryset).scope
        return queryset.filter(EntryFilter(q=text).condition(scope)) if text else queryset, False

    @admin.display(description=_("last error"))
    def last_error(self, entry: Entry) -> SafeString | str:
        line = super().last_error(entry)
        if entry.status != EntryStatus.FAILED:
            return line
        url = escape(get_alike_url(entry.fingerprint))
        return SafeString(f'{line} <a class="alike" href="{url}">{gettext("Same error")}</a>')

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "group_url": get_group_url(
                request, request.GET.get("fingerprint", ""), back=request.GET.urlencode()
            ),
            "all_pages_links": self._list_all_pages_links(request),
            "buttons": list_buttons(
                self.get_actions(request), status=request.GET.get("status", "")
            ),
        }
        return super().changelist_view(request, context | (extra_context or {}))

    def _list_all_pages_links(self, request: HttpRequest) -> list[tuple[str, str]]:
        """List previews of everything shown, for browsers without scripts."""
        try:
            shown = Selection(filter=parse_list_filter(request.GET))
        except SelectionRefused:
            return []
        return [
            (
                str(describe_action(action).matching),
                get_preview_url(action, shown, back=request.GET.urlencode()),
            )
            for action in OPERATE
            if action not in {Action.REPAIR, Action.UNDO}  # they need more than a preview
            and request.user.has_perm(OPERATE[action])
        ]

    # --- actions -------------------------------------------------------------------------------

    @admin.action(description=_("Retry selected"), permissions=["retry"])
    def retry_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._act(request, Action.RETRY, service.retry_entries)

    @admin.action(description=_("Resync"), permissions=["resync"])
    def resync_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._act(request, Action.RESYNC, service.resync_entries)

    @admin.action(description=_("Retry now"), permissions=["retry"])
    def retry_now_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._act(request, Action.RETRY_NOW, service.retry_entries_now)

    @admin.action(description=_("Stop retrying"), permissions=["retry"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[Entry]) -> HttpResponse | None:
        return self._act(request, Action.STOP, service.stop_retrying)

    @admin.action(description=_("Discard selected"), permissions=["discard"])
    def discard_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._start_operation(request, Action.DISCARD)

    @admin.action(description=_("Restore selected"), permissions=["discard"])
    def restore_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._start_operation(request, Action.RESTORE)

    @admin.action(description=_("Repair…"), permissions=["repair"])
    def repair_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        """Redirect to the page of a repair, for the ticked entries or for all pages."""
        chosen = parse_selection(request.POST)
        try:
            shown = (
                Selection(filter=parse_list_filter(request.GET))
                if chosen.all_pages
                else Selection(ids=chosen.ids)
            )
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
            return None
        back = request.GET.urlencode()
        return HttpResponseRedirect(get_repair_url(shown, reason=chosen.reason, back=back))

    def _act(
        self,
        request: HttpRequest,
        action: Action,
        verb: Callable[..., QueueOutcome | Sequence[ItemOutcome]],
    ) -> HttpResponse | None:
        """Act on the ticked entries at once, by an operation, or by the preview of all pages.

        Uses the ticked ids, not the queryset: an entry that has left the filter since then gets an
        outcome as well.
        """
        selection = parse_selection(request.POST)
        if selection.all_pages or len(selection.ids) > MOST_AT_ONCE:
            return self._start_operation(request, action)
        try:
            outcome = verb(selection.ids, actor=get_actor(request), reason=selection.reason)
        except RetryError as error:
            add_messages(request, describe_refusal(error))
        else:
            link = link_to_outcomes(request, outcome)
            add_messages(request, *describe_selection(outcome, link=link))
        return None

    def _start_operation(self, request: HttpRequest, action: Action) -> HttpResponse | None:
        """Start an operation on the ticked entries, or redirect to the preview of all pages."""
        selection = parse_selection(request.POST)
        if selection.all_pages:
            return self._redirect_to_preview(request, action, reason=selection.reason)
        try:
            return launch(
                request,
                Selection(ids=selection.ids),
                action=action,
                reason=selection.reason,
                key=f"{action.value}-{selection.key}",
                back=request.GET.urlencode(),
            )
        except RetryError as error:
            add_messages(request, describe_refusal(error))
            return None

    def _redirect_to_preview(
        self, request: HttpRequest, action: Action, *, reason: str
    ) -> HttpResponse | None:
        try:
            shown = Selection(filter=parse_list_filter(request.GET))
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
            return None
        back = request.GET.urlencode()
        return HttpResponseRedirect(get_preview_url(action, shown, reason=reason, back=back))

    # --- the page of one -----------------------------------------------------------------------

    def get_live_context(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        context = super().get_live_context(request, entry)
        hold_words, live = explain_entry(entry), context["live"]
        failed = entry.status == EntryStatus.FAILED
        back = request.GET.get("_changelist_filters", "")
        return context | {
            "live": replace(live, version=f"{live.version}.held") if hold_words else live,
            "hold_words": hold_words,
            "alike_url": get_alike_url(entry.fingerprint) if failed else "",
            "group_url": get_group_url(request, entry.fingerprint if failed else "", back=back),
        }

    def find_runs(
        self, request: HttpRequest, entry: Entry, attempts: Sequence[Attempt]
    ) -> Mapping[UUID, Run]:
        return find_runs(entry, attempts, actor=get_actor(request))


def get_group_url(request: HttpRequest, fingerprint: str, *, back: str) -> str:
    """Return the preview of retrying all with one error; empty for users who may not retry."""
    if not fingerprint or "\0" in fingerprint or not request.user.has_perm(RETRY_ENTRY):
        return ""
    group = EntryFilter(status=EntryStatus.FAILED, fingerprint=fingerprint)
    return get_preview_url(Action.RETRY, Selection(filter=group), back=back)
