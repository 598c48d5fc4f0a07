"""Entries: the list, the page of one, and the live part of that page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from entries import lists, storage
from entries.admin import display
from entries.admin.chips import list_chips
from entries.admin.entry_list import SORT, SortFilter, choose_order
from entries.admin.filters import (
    ErrorClassFilter,
    GoneFilter,
    KindFilter,
    OptionalSourceFilter,
    StatusFilter,
    UpstreamFilter,
)
from entries.admin.forms import EntryForm
from entries.admin.lists import BoundedAdmin
from entries.admin.live import LiveFragment, respond
from entries.admin.live_rows import LiveRows
from entries.admin.payload import TYPED, PayloadFilter, redirect_to_filter
from entries.admin.since import NAMES, FailedFilter, ReceivedFilter, redirect_to_range
from entries.admin.since import TYPED as TYPED_RANGE
from entries.admin.timeline import build_timeline, format_result, list_attempts
from entries.kinds.upstreams import derive_upstream
from entries.models import Attempt, Entry
from entries.payload_match import PREFIX
from entries.permissions import VIEW_ENTRY, VIEW_PAYLOAD
from entries.states import ACTIVE, EntryStatus


@dataclass(frozen=True, slots=True)
class Alike:
    """The other entries that failed with the same error; with ``more`` at least ``count``."""

    count: int
    more: bool
    url: str


class EntryAdmin(LiveRows, BoundedAdmin[Entry]):
    form = EntryForm
    list_display = ("headline", "state", "kind", "source", "attempt", "last_error", "when")
    list_display_links = ("headline",)
    list_filter = (
        StatusFilter,
        FailedFilter,
        ReceivedFilter,
        KindFilter,
        OptionalSourceFilter,
        UpstreamFilter,
        ErrorClassFilter,
        PayloadFilter,
        GoneFilter,
        SortFilter,
    )
    search_fields = ("external_id", "title", "error_message")
    search_hint_template = "entries/entry/search_hint.html"
    link_parameters: ClassVar = frozenset({"fingerprint"})
    change_form_template = "admin/entries/entry/change_form.html"
    readonly_fields = (
        "payload_text",
        "source",
        "kind",
        "upstream",
        "external_id",
        "created",
        "updated",
    )
    #: Templates that a subclass puts on the page: a notice, buttons, and the run of an attempt.
    notice_template: ClassVar[str | None] = None
    verbs_template: ClassVar[str | None] = None
    run_template: ClassVar[str | None] = None

    # --- who may -------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        """Require the permission that ``visible_to`` requires in every channel."""
        return request.user.has_perm(VIEW_ENTRY)

    def has_change_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return self.has_view_permission(request, obj) and super().has_change_permission(
            request, obj
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return Entry.objects.visible_to(request.user).order_by(*self.get_ordering(request))

    # --- the list ------------------------------------------------------------------------------

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        known = lookup.startswith(PREFIX) or lookup in {SORT, *NAMES}
        return known or super().lookup_allowed(lookup, value, request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET" and TYPED in request.GET:
            return redirect_to_filter(request)
        if request.method == "GET" and request.GET.keys() & TYPED_RANGE:
            return redirect_to_range(request)
        chips = list_chips(request.GET, visible=Entry.objects.visible_to(request.user))
        return super().changelist_view(request, {"chips": chips} | (extra_context or {}))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Sort by id, failed entries by the time of failure: both have an index."""
        return choose_order(request.GET.dict()).sorting

    @admin.display(description=_("entry"))
    def headline(self, entry: Entry) -> SafeString:
        return SafeString(
            f'<span class="number">#{entry.pk}</span> {display.format_name(str(entry))}'
        )

    @admin.display(description=_("status"))
    def state(self, entry: Entry) -> SafeString:
        return display.format_badge(entry.status) + display.format_gone(entry.gone_at)

    @admin.display(description=_("last error"))
    def last_error(self, entry: Entry) -> SafeString | str:
        return display.format_error(entry.error_class, entry.error_message)

    @admin.display(description=_("changed"))
    def when(self, entry: Entry) -> SafeString | str:
        return display.format_moment(entry.status_changed_at)

    # --- the page of one -----------------------------------------------------------------------

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Entry | None:
        """Lock the entry while its form is saved: what the form compares is what it overwrites."""
        entry: Entry | None = super().get_object(request, object_id, from_field)
        if entry is None or request.method != "POST" or not connection.in_atomic_block:
            return entry
        storage.lock_entry(entry.pk)
        entry.refresh_from_db()
        return entry

    def get_readonly_fields(self, request: HttpRequest, obj: Entry | None = None) -> Any:
        """Leave out the field of the payload where it is not shown: what is sent is not read."""
        hidden = () if request.user.has_perm(VIEW_PAYLOAD) else ("payload",)
        return (*self.readonly_fields, *hidden)

    def get_fieldsets(self, request: HttpRequest, obj: Entry | None = None) -> Any:
        editable = self.has_change_permission(request, obj)
        content: tuple[str, ...]
        content = ("title", "payload", "seen") if editable else ("title", "payload_text")
        if not request.user.has_perm(VIEW_PAYLOAD):
            content = ("title", "seen") if editable else ("title",)
        return (
            (gettext("Input"), {"fields": content}),
            (
                gettext("Origin"),
                {"fields": ("source", "kind", "upstream", "external_id", "created", "updated")},
            ),
        )

    @admin.display(description=_("payload"))
    def payload_text(self, entry: Entry) -> SafeString | str:
        return display.format_json_block(entry.payload)

    @admin.display(description=_("created"))
    def created(self, entry: Entry) -> SafeString | str:
        return display.format_time(entry.created_at)

    @admin.display(description=_("updated"))
    def updated(self, entry: Entry) -> SafeString | str:
        return display.format_time(entry.updated_at)

    def save_model(self, request: HttpRequest, obj: Entry, form: Any, change: bool) -> None:  # noqa: FBT001
        """Write only the edited columns; the others may have changed since they were loaded."""
        edited = [name for name in form.changed_data if name in {"title", "payload"}]
        if edited:
            obj.updated_at = timezone.now()
            obj.upstream = derive_upstream(
                obj.kind, obj.payload, source=obj.source.slug if obj.source else None
            )
            obj.save(update_fields=[*edited, "upstream", "updated_at"])

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        entry = kwargs.get("obj")
        if entry is not None:
            title = gettext("Entry %(entry)s") % {"entry": entry.pk}
            context = context | {"title": title} | self.get_live_context(request, entry)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- the live part -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(require_safe(self.live_view))
        return [
            path("<path:object_id>/live/", live, name="entries_entry_live"),
            *super().get_urls(),
        ]

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        entry = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        context = self.get_live_context(request, entry)
        said = {"entry": entry.pk, "status": gettext(entry.status)}
        announcement = gettext("Entry %(entry)s is %(status)s.") % said
        changes = {"original": entry, "announcement": announcement}
        return respond(request, context["live"], "entries/entry/live.html", context | changes)

    def get_live_context(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        attempts = list_attempts(entry)
        return {
            "live": LiveFragment(
                url=add_preserved_filters(
                    {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts},
                    reverse("admin:entries_entry_live", args=[entry.pk]),
                ),
                version=f"{entry.status}.{entry.attempt}.{entry.run_id}",
                active=entry.status in ACTIVE,
                seconds=2,
            ),
            "attempts": build_timeline(
                entry,
                attempts,
                runs=self.find_runs(request, entry, attempts),
                payloads=request.user.has_perm(VIEW_PAYLOAD),
            ),
            "alike": self.find_alike(request, entry),
            "result_text": format_result(entry) if request.user.has_perm(VIEW_PAYLOAD) else None,
            "notice_template": self.notice_template,
            "verbs_template": self.verbs_template,
            "run_template": self.run_template,
        }

    def find_alike(self, request: HttpRequest, entry: Entry) -> Alike | None:
        """Count, as far as lists do, what else failed with the error of a failed entry."""
        if entry.status != EntryStatus.FAILED:
            return None
        visible = Entry.objects.visible_to(request.user)
        found, more = lists.count(
            visible.failed().filter(fingerprint=entry.fingerprint), visible=visible
        )
        query = urlencode({"status": entry.status, "fingerprint": entry.fingerprint})
        url = f"{reverse('admin:entries_entry_changelist')}?{query}"
        return Alike(max(found - 1, 0), more, url)

    def find_runs(
        self, request: HttpRequest, entry: Entry, attempts: Sequence[Attempt]
    ) -> Mapping[UUID, Any]:
        """Find the runs of attempts at an entry, by id. This app knows none."""
        return {}
