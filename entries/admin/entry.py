"""Entries: the list, the page of one, and the part of that page that keeps itself up to date."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from entries.admin import show
from entries.admin.exchange import ExchangeView, exchange_in
from entries.admin.filters import (
    ErrorClassFilter,
    GoneFilter,
    KindFilter,
    SourceFilter,
    StatusFilter,
    UpstreamFilter,
)
from entries.admin.forms import EntryForm
from entries.admin.listing import BoundedAdmin
from entries.kinds.upstreams import derive_upstream
from entries.models import Attempt, Entry
from entries.permissions import VIEW_ENTRY
from entries.states import ACTIVE, AttemptStatus, EntryStatus

#: Attempts shown on an entry's page; each may carry a traceback.
SHOWN_ATTEMPTS = 25


@dataclass(frozen=True, slots=True)
class AttemptView:
    """``asked``: whoever knows what asked for the attempt puts it here for the template.

    ``exchange``: what it asked of somebody else's server; ``found``: what else is known of a try
    that failed.
    """

    attempt: Attempt
    took: str
    asked: Any
    exchange: ExchangeView | None
    found: str


class EntryList(ChangeList):
    def get_queryset(
        self, request: HttpRequest, exclude_parameters: list[str | None] | None = None
    ) -> QuerySet[Any]:
        """Without the columns that are large and that no row shows."""
        found = super().get_queryset(request, exclude_parameters)
        return found.select_related("source").defer("payload", "result")


@admin.register(Entry)
class EntryAdmin(BoundedAdmin[Entry]):
    form = EntryForm
    list_display = ("headline", "state", "kind", "source", "attempt", "last_error", "when")
    list_display_links = ("headline",)
    list_filter = (
        StatusFilter,
        KindFilter,
        SourceFilter,
        UpstreamFilter,
        ErrorClassFilter,
        GoneFilter,
    )
    search_fields = ("external_id", "title", "error_message")
    search_help_text = "Searches external id, title and error message."
    link_parameters: ClassVar = frozenset({"fingerprint"})
    change_form_template = "admin/entries/entry/change_form.html"
    readonly_fields = (
        "payload_shown",
        "source",
        "kind",
        "upstream",
        "external_id",
        "created",
        "updated",
    )
    #: A template for what can be done to the entry, put beside its status.
    verbs_template: ClassVar[str | None] = None

    # --- who may -------------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        """Nobody changes what they may not see: ``visible_to`` decides in all channels."""
        return request.user.has_perm(VIEW_ENTRY)

    def has_change_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        return self.has_view_permission(request, obj) and super().has_change_permission(
            request, obj
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Entry]:
        return Entry.objects.visible_to(request.user).order_by(*self.get_ordering(request))

    # --- the list ------------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return EntryList

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Newest first; failures by when they failed, for which there is an index."""
        if request.GET.get("status") == EntryStatus.FAILED:
            return ("-failed_at", "-id")
        return ("-id",)

    @admin.display(description="entry")
    def headline(self, entry: Entry) -> SafeString:
        head = format_html('<span class="number">#{}</span> {}', entry.pk, show.name(str(entry)))
        return head + render_to_string("entries/entry/gone.html", {"entry": entry})

    @admin.display(description="status")
    def state(self, entry: Entry) -> SafeString:
        return show.badge(entry.status)

    @admin.display(description="last error")
    def last_error(self, entry: Entry) -> SafeString | str:
        return show.error_line(entry.error_class, entry.error_message)

    @admin.display(description="changed")
    def when(self, entry: Entry) -> SafeString | str:
        return show.moment(entry.status_changed_at)

    # --- the page of one -----------------------------------------------------------------------

    def get_fieldsets(self, request: HttpRequest, obj: Entry | None = None) -> Any:
        editable = self.has_change_permission(request, obj)
        content = ("title", "payload", "seen") if editable else ("title", "payload_shown")
        return (
            ("Input", {"fields": content}),
            (
                "Origin",
                {"fields": ("source", "kind", "upstream", "external_id", "created", "updated")},
            ),
        )

    @admin.display(description="payload")
    def payload_shown(self, entry: Entry) -> SafeString | str:
        return show.json_block(entry.payload)

    @admin.display(description="created")
    def created(self, entry: Entry) -> SafeString | str:
        return show.moment(entry.created_at)

    @admin.display(description="updated")
    def updated(self, entry: Entry) -> SafeString | str:
        return show.moment(entry.updated_at)

    def save_model(self, request: HttpRequest, obj: Entry, form: Any, change: bool) -> None:  # noqa: FBT001
        """Only what was edited is written; the rest may have moved on since it was loaded."""
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
            context = context | {"title": f"Entry {entry.pk}"} | self.live_context(request, entry)
        return super().render_change_form(request, context, *args, **kwargs)

    # --- what keeps itself up to date ----------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(require_safe(self.live_view))
        return [
            path("<path:object_id>/live/", live, name="entries_entry_live"),
            *super().get_urls(),
        ]

    def live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The changing part of the page. 204 while it is what the browser has ``seen``."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        entry = self.get_object(request, object_id)
        if entry is None:
            raise Http404
        context = self.live_context(request, entry)
        if request.GET.get("seen") == context["live_version"]:
            return HttpResponse(status=204)
        return TemplateResponse(
            request, "entries/entry/live.html", context | {"original": entry, "announce": True}
        )

    def live_context(self, request: HttpRequest, entry: Entry) -> dict[str, Any]:
        attempts = list(entry.attempts.order_by("-number")[:SHOWN_ATTEMPTS])
        asked = self.asked_for(request, attempts)
        return {
            "live_url": add_preserved_filters(
                {"preserved_filters": self.get_preserved_filters(request), "opts": self.opts},
                reverse("admin:entries_entry_live", args=[entry.pk]),
            ),
            "live_version": f"{entry.status}-{entry.attempt}-{entry.run_id}",
            "active": entry.status in ACTIVE,
            "attempts": [
                attempt_view(attempt, asked=asked.get(attempt.run_id)) for attempt in attempts
            ],
            "result_shown": result_shown(entry),
            "verbs_template": self.verbs_template,
        }

    def asked_for(self, request: HttpRequest, attempts: Sequence[Attempt]) -> Mapping[UUID, Any]:
        """What asked for the attempts, by run id: known to those who know runs."""
        return {}


def attempt_view(attempt: Attempt, *, asked: Any) -> AttemptView:
    exchange = exchange_in(attempt.result)
    tells = attempt.status == AttemptStatus.FAILED and attempt.result and not exchange
    return AttemptView(
        attempt=attempt,
        took=show.duration(attempt.started_at, attempt.ended_at),
        asked=asked,
        exchange=exchange,
        found=show.pretty(attempt.result) if tells else "",
    )


def result_shown(entry: Entry) -> str | None:
    """The entry's result, unless the attempt that brought it shows it better."""
    if entry.result is None or exchange_in(entry.result):
        return None
    return show.pretty(entry.result)
