"""Entries with what can be done to them: retry one, act on a selection, or on a whole filter."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from entries.admin import EntryAdmin
from entries.filters import EntryFilter
from entries.models import Attempt, Entry
from entries.states import EntryStatus
from retry import service
from retry.access.permissions import DISCARD_ENTRY, OPERATE, RESYNC_ENTRY, RETRY_ENTRY
from retry.admin.audit.audited import AuditedAdmin
from retry.admin.entries.criteria import of_list, preview_url
from retry.admin.entries.launch import launch
from retry.admin.entries.page import EntryVerbs
from retry.admin.exports.page import ExportsEntries
from retry.admin.holds import words as hold_words
from retry.admin.imports.upload import ImportsEntries
from retry.admin.shared import messages as words
from retry.admin.shared.acting import actor_of
from retry.admin.shared.selection import SelectionRefused, selection_of
from retry.errors import RetryError
from retry.models import Action, Run
from retry.operations.selection import Selection
from retry.outcomes import ItemOutcome, QueueOutcome

admin.site.unregister(Entry)


@admin.register(Entry)
class RetryEntryAdmin(AuditedAdmin, ImportsEntries, ExportsEntries, EntryVerbs, EntryAdmin):
    actions = (
        "retry_selected",
        "resync_selected",
        "retry_now_selected",
        "stop_selected",
        "discard_selected",
        "restore_selected",
    )
    reaches_across = True
    search_help_text = (
        "Searches external id, title and error message for this text as it stands. "
        "#123, or the number alone, finds entry 123."
    )

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RETRY_ENTRY)

    def has_resync_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(RESYNC_ENTRY)

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(DISCARD_ENTRY)

    # --- the list ------------------------------------------------------------------------------

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        """As an operation's filter searches, so that both mean the same entries."""
        text = search_term.strip()
        return queryset.filter(EntryFilter(q=text).condition()) if text else queryset, False

    @admin.display(description="last error")
    def last_error(self, entry: Entry) -> SafeString | str:
        line = super().last_error(entry)
        if entry.status != EntryStatus.FAILED:
            return line
        query = urlencode({"status": entry.status, "fingerprint": entry.fingerprint})
        return format_html('{} <a class="alike" href="?{}">all alike</a>', line, query)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        links = {
            "group_url": group_url(
                request, request.GET.get("fingerprint", ""), back=request.GET.urlencode()
            ),
            "across_links": self._across_links(request),
            "actions_help": words.RETRY_OR_RESYNC if request.user.has_perm(RESYNC_ENTRY) else "",
        }
        return super().changelist_view(request, links | (extra_context or {}))

    def _across_links(self, request: HttpRequest) -> list[tuple[str, str]]:
        """The way to all pages for browsers without scripts, where ticking cannot reach them."""
        try:
            shown = Selection(filter=of_list(request.GET))
        except SelectionRefused:
            return []
        return [
            (
                f"{words.of_action(action).do.capitalize()} all that match",
                preview_url(action, shown, back=request.GET.urlencode()),
            )
            for action, permission in OPERATE.items()
            if request.user.has_perm(permission)
        ]

    @admin.action(description="Retry selected", permissions=["retry"])
    def retry_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._at_once(request, Action.RETRY, service.retry_entries)

    @admin.action(description="Resync", permissions=["resync"])
    def resync_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._at_once(request, Action.RESYNC, service.resync_entries)

    @admin.action(description="Retry now", permissions=["retry"])
    def retry_now_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._at_once(request, Action.RETRY_NOW, service.retry_entries_now)

    @admin.action(description="Stop retrying", permissions=["retry"])
    def stop_selected(self, request: HttpRequest, queryset: QuerySet[Entry]) -> HttpResponse | None:
        return self._at_once(request, Action.STOP, service.stop_retrying)

    def _at_once(
        self,
        request: HttpRequest,
        action: Action,
        verb: Callable[..., QueueOutcome | Sequence[ItemOutcome]],
    ) -> HttpResponse | None:
        """Do it to what is ticked, or go to the preview of all that is shown.

        The ids as they were ticked, not the queryset: whoever has left the filter since then gets
        an outcome as well.
        """
        ticked = selection_of(request.POST)
        if ticked.across:
            return self._to_preview(request, action, reason=ticked.reason)
        try:
            outcome = verb(ticked.ids, actor=actor_of(request), reason=ticked.reason)
        except RetryError as error:
            words.show(request, [words.of_refusal(error)])
        else:
            words.show(request, words.of_selection(outcome))
        return None

    @admin.action(description="Discard selected", permissions=["discard"])
    def discard_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._operate(request, Action.DISCARD)

    @admin.action(description="Restore selected", permissions=["discard"])
    def restore_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        return self._operate(request, Action.RESTORE)

    def _operate(self, request: HttpRequest, action: Action) -> HttpResponse | None:
        """Start an operation over what is ticked, or go to the preview of all that is shown."""
        ticked = selection_of(request.POST)
        if ticked.across:
            return self._to_preview(request, action, reason=ticked.reason)
        chosen = Selection(ids=ticked.ids)
        key = f"{action.value}-{ticked.key}"
        try:
            return launch(
                request,
                chosen,
                action=action,
                reason=ticked.reason,
                key=key,
                back=request.GET.urlencode(),
            )
        except RetryError as error:
            words.show(request, [words.of_refusal(error)])
            return None

    def _to_preview(
        self, request: HttpRequest, action: Action, *, reason: str
    ) -> HttpResponse | None:
        try:
            shown = Selection(filter=of_list(request.GET))
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
            return None
        back = request.GET.urlencode()
        return HttpResponseRedirect(preview_url(action, shown, reason=reason, back=back))

    # --- the page of one -----------------------------------------------------------------------

    def live_context(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        failed = entry.status == EntryStatus.FAILED
        context = super().live_context(request, entry) | {
            "group_url": group_url(
                request,
                entry.fingerprint if failed else "",
                back=request.GET.get("_changelist_filters", ""),
            )
        }
        why = hold_words.of_entry(entry)
        version = f"{context['live_version']}{'-held' if why else ''}"
        return context | {"on_hold": why, "live_version": version}

    def asked_for(self, request: HttpRequest, attempts: Sequence[Attempt]) -> Mapping[UUID, Any]:
        wanted = {attempt.run_id for attempt in attempts}
        runs = Run.objects.defer("entry_ids", "skipped").in_bulk(wanted)
        return dict(runs)


def group_url(request: HttpRequest, fingerprint: str, *, back: str) -> str:
    """The preview of retrying all that failed alike; nothing for whoever may not."""
    if not fingerprint or "\0" in fingerprint or not request.user.has_perm(RETRY_ENTRY):
        return ""
    group = EntryFilter(status=EntryStatus.FAILED, fingerprint=fingerprint)
    return preview_url(Action.RETRY, Selection(filter=group), back=back)
