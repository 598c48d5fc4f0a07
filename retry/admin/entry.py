"""Entries with what can be done to them: retry one, act on a selection, or on a whole filter."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from entries.admin import EntryAdmin
from entries.filters import EntryFilter
from entries.models import Attempt, Entry
from entries.states import EntryStatus, sources_of
from retry import service
from retry.admin import messages as words
from retry.admin.acting import VerbsAdmin, actor_of
from retry.admin.criteria import of_list, preview_url
from retry.admin.launch import launch
from retry.admin.selection import ReasonForm, SelectionRefused, reason_of, selection_of
from retry.admin.transfer.exporting import ExportsEntries
from retry.admin.transfer.importing import ImportsEntries
from retry.errors import RetryError
from retry.models import Action, Run
from retry.operations.control import PERMISSIONS
from retry.operations.selection import Selection

admin.site.unregister(Entry)


@admin.register(Entry)
class RetryEntryAdmin(ImportsEntries, ExportsEntries, VerbsAdmin, EntryAdmin):
    actions = ("retry_selected", "discard_selected", "restore_selected")
    verbs_template = "redrive/entry/retry.html"
    reaches_across = True
    search_help_text = "Searches external id, title and error message for this text as it stands."

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(service.RETRY)

    def has_discard_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(PERMISSIONS[Action.DISCARD])

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
            "group_url": group_url(request, request.GET.get("fingerprint", "")),
            "across_links": self._across_links(request),
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
                preview_url(action, shown),
            )
            for action in PERMISSIONS
            if request.user.has_perm(PERMISSIONS[action])
        ]

    @admin.action(description="Retry selected", permissions=["retry"])
    def retry_selected(
        self, request: HttpRequest, queryset: QuerySet[Entry]
    ) -> HttpResponse | None:
        """The ids as they were ticked, not ``queryset``: whoever has left the filter since then
        gets an outcome as well."""
        selection = selection_of(request.POST)
        if selection.across:
            return self._to_preview(request, Action.RETRY, reason=selection.reason)
        try:
            outcome = service.retry_entries(
                selection.ids, actor=actor_of(request), reason=selection.reason
            )
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
            return launch(request, chosen, action=action, reason=ticked.reason, key=key)
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
        return HttpResponseRedirect(preview_url(action, shown, reason=reason))

    # --- the page of one -----------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        retry = self.admin_site.admin_view(require_POST(self.retry_view))
        return [
            path("<path:object_id>/retry/", retry, name="entries_entry_retry"),
            *super().get_urls(),
        ]

    def retry_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request) or not self.has_retry_permission(request):
            raise PermissionDenied
        entry = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        try:
            item, dispatched = service.retry_entry(
                entry.pk, actor=actor_of(request), reason=reason_of(request.POST)
            )
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
        except RetryError as error:
            words.show(request, [words.of_refusal(error)])
        else:
            words.show(request, words.of_one(item, dispatched=dispatched))
        return self.back_to(request, entry)

    def live_context(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        retryable = entry.status in sources_of("retry")
        failed = entry.status == EntryStatus.FAILED
        return super().live_context(request, entry) | {
            "may_retry": self.has_retry_permission(request),
            "retryable": retryable,
            "why_not_retryable": "" if retryable else words.why_not_retryable(entry.status),
            "retry_url": reverse("admin:entries_entry_retry", args=[entry.pk]),
            "reason_form": ReasonForm(),
            "group_url": group_url(request, entry.fingerprint if failed else ""),
        }

    def asked_for(self, request: HttpRequest, attempts: Sequence[Attempt]) -> Mapping[UUID, Any]:
        wanted = {attempt.run_id for attempt in attempts}
        runs = Run.objects.defer("entry_ids", "skipped").in_bulk(wanted)
        return dict(runs)


def group_url(request: HttpRequest, fingerprint: str) -> str:
    """The preview of retrying all that failed alike; nothing for whoever may not."""
    if not fingerprint or "\0" in fingerprint or not request.user.has_perm(service.RETRY):
        return ""
    group = EntryFilter(status=EntryStatus.FAILED, fingerprint=fingerprint)
    return preview_url(Action.RETRY, Selection(filter=group))
