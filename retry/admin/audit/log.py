"""The audit, to look at; nobody changes it, the database sees to that."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from entries.admin import show
from entries.admin.filters import EqualFilter, sampled
from entries.admin.listing import ReadOnlyAdmin
from retry.access.visibility import visible_ids
from retry.admin.audit.audited import AuditedAdmin
from retry.admin.operations.admin import operation_link
from retry.admin.runs.admin import run_link
from retry.admin.shared.acting import actor_of
from retry.models import AuditEvent
from retry.outcomes import Channel


class VerbFilter(EqualFilter):
    title = "verb"
    parameter_name = column = "verb"

    def offered(self) -> list[tuple[str, str]]:
        return [(verb, verb) for verb in sampled(AuditEvent.objects.order_by("-id"), "verb")]


class ChannelFilter(EqualFilter):
    title = "channel"
    parameter_name = column = "channel"
    closed = True

    def offered(self) -> list[tuple[str, str]]:
        return [(channel.value, channel.value) for channel in Channel]


@admin.register(AuditEvent)
class AuditEventAdmin(AuditedAdmin, ReadOnlyAdmin[AuditEvent]):
    list_display = (
        "when",
        "verb",
        "actor_label",
        "channel",
        "count",
        "entry",
        "run",
        "operation",
        "reason",
    )
    list_display_links = ("when",)
    list_filter = (VerbFilter, ChannelFilter)
    search_fields = ("actor_label",)
    search_help_text = "Searches who acted; a number finds an entry, an id a run or an operation."

    def get_fieldsets(self, request: HttpRequest, obj: AuditEvent | None = None) -> Any:
        """What an entry was and is now is for those who may see it."""
        about = [] if obj is None or obj.entry_id is None else [obj.entry_id]
        told = visible_ids(about, actor=actor_of(request)) == about
        change = ("state_before", "state_after", "request_id") if told else ("request_id",)
        return (
            (None, {"fields": ("when", "verb", "actor_label", "channel", "count", "reason")}),
            ("On what", {"fields": ("entry", "run", "operation", "source", "subject")}),
            ("Change", {"fields": change}),
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        term = search_term.strip()
        if term.isascii() and term.isdigit() and len(term) <= 18:
            return queryset.filter(entry_id=int(term)), False
        try:
            id_ = UUID(term)
            return queryset.filter(Q(run_id=id_) | Q(operation_id=id_)), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)

    @admin.display(description="when")
    def when(self, event: AuditEvent) -> SafeString | str:
        return show.moment(event.at)

    @admin.display(description="entry")
    def entry(self, event: AuditEvent) -> SafeString | str:
        return _link("entry", event.entry_id)

    @admin.display(description="source")
    def source(self, event: AuditEvent) -> SafeString | str:
        return _link("source", event.source_id)

    @admin.display(description="run")
    def run(self, event: AuditEvent) -> SafeString | str:
        return run_link(event.run_id)

    @admin.display(description="operation")
    def operation(self, event: AuditEvent) -> SafeString | str:
        return operation_link(event.operation_id)

    @admin.display(description="before")
    def state_before(self, event: AuditEvent) -> SafeString | str:
        return show.json_block(event.before)

    @admin.display(description="after")
    def state_after(self, event: AuditEvent) -> SafeString | str:
        return show.json_block(event.after)


def _link(model: str, pk: int | None) -> SafeString | str:
    if pk is None:
        return show.NOTHING
    return format_html(
        '<a href="{}">#{}</a>', reverse(f"admin:entries_{model}_change", args=[pk]), pk
    )
