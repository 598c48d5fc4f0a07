"""The audit, read-only: the database refuses changes."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from entries.admin import display
from entries.admin.filters import ChoiceFilter, EqualFilter, sample_values
from entries.admin.lists import ReadOnlyAdmin
from entries.phrases import show
from retry.access.events import shield
from retry.access.records import visible_events
from retry.access.visibility import visible_ids
from retry.admin.shared.actor import get_actor
from retry.admin.shared.audited import AuditedAdmin
from retry.admin.shared.links import (
    link_to_entry,
    link_to_operation,
    link_to_run,
    link_to_source,
)
from retry.admin.shared.verb_names import name_actor, name_verb
from retry.models import AuditEvent
from retry.outcomes import Channel


class VerbFilter(EqualFilter):
    title = _("verb")
    parameter_name = column = "verb"

    def lookups(
        self, request: HttpRequest, model_admin: "admin.ModelAdmin[Any]"
    ) -> list[tuple[str, str]]:
        self._visible = visible_events(get_actor(request))
        return super().lookups(request, model_admin)

    def list_choices(self) -> list[tuple[str, str]]:
        return [
            (verb, name_verb(verb)) for verb in sample_values(self._visible.order_by("-id"), "verb")
        ]


class ChannelFilter(ChoiceFilter):
    title = _("channel")
    parameter_name = column = "channel"
    enumeration = Channel


class AuditEventAdmin(AuditedAdmin, ReadOnlyAdmin[AuditEvent]):
    list_display = (
        "when",
        "verb_words",
        "actor_words",
        "channel_words",
        "number",
        "entry",
        "run",
        "operation",
        "reason_words",
    )
    list_display_links = ("when",)
    list_filter = (VerbFilter, ChannelFilter)
    search_fields = ("actor_label",)
    search_help_text = _(
        "Searches the actor. A number finds an entry; an id finds a run or an operation."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEvent]:
        return visible_events(get_actor(request)).order_by("-id")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> AuditEvent | None:
        found: AuditEvent | None = super().get_object(request, object_id, from_field)
        return None if found is None else shield([found], actor=get_actor(request))[0]

    def get_fieldsets(self, request: HttpRequest, obj: AuditEvent | None = None) -> Any:
        """Show what changed in an entry only to those who may see the entry."""
        entry_ids = [] if obj is None or obj.entry_id is None else [obj.entry_id]
        visible = visible_ids(entry_ids, actor=get_actor(request)) == entry_ids
        change = ("state_before", "state_after", "request_id") if visible else ("request_id",)
        return (
            (
                None,
                {
                    "fields": (
                        "exactly_when",
                        "verb_words",
                        "actor_words",
                        "channel_words",
                        "number",
                        "reason_words",
                    )
                },
            ),
            (_("Subject"), {"fields": ("entry", "run", "operation", "source", "subject")}),
            (pgettext_lazy("of the audit", "Change"), {"fields": change}),
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

    @admin.display(description=_("when"))
    def when(self, event: AuditEvent) -> SafeString | str:
        return display.format_moment(event.at)

    @admin.display(description=_("when"))
    def exactly_when(self, event: AuditEvent) -> SafeString | str:
        return display.format_time(event.at)

    @admin.display(description=_("verb"))
    def verb_words(self, event: AuditEvent) -> str:
        return name_verb(event.verb)

    @admin.display(description=_("actor"))
    def actor_words(self, event: AuditEvent) -> SafeString:
        return display.format_name(name_actor(event), length=300)

    @admin.display(description=_("channel"))
    def channel_words(self, event: AuditEvent) -> str:
        return gettext(event.channel)

    @admin.display(description=_("count"))
    def number(self, event: AuditEvent) -> str:
        return intcomma(event.count)

    @admin.display(description=_("reason"))
    def reason_words(self, event: AuditEvent) -> SafeString | str:
        return display.format_name(show(event.reason), length=500) if event.reason else ""

    @admin.display(description=_("entry"))
    def entry(self, event: AuditEvent) -> SafeString | str:
        return link_to_entry(event.entry_id)

    @admin.display(description=_("source"))
    def source(self, event: AuditEvent) -> SafeString | str:
        return link_to_source(event.source_id)

    @admin.display(description=_("run"))
    def run(self, event: AuditEvent) -> SafeString | str:
        return link_to_run(event.run_id)

    @admin.display(description=_("operation"))
    def operation(self, event: AuditEvent) -> SafeString | str:
        return link_to_operation(event.operation_id)

    @admin.display(description=_("before"))
    def state_before(self, event: AuditEvent) -> SafeString | str:
        return display.format_json_block(event.before)

    @admin.display(description=_("after"))
    def state_after(self, event: AuditEvent) -> SafeString | str:
        return display.format_json_block(event.after)
