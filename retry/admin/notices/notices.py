"""Notices: what happened, who was notified, and what became of it."""

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from entries.admin import display
from entries.admin.filters import ChoiceFilter
from entries.admin.lists import ReadOnlyAdmin
from retry.access.permissions import VIEW_ENTRY
from retry.access.subscriptions import visible_deliveries, visible_notices
from retry.admin.notices.words import describe_delivery, summarize
from retry.admin.shared.actor import get_actor
from retry.admin.shared.audited import AuditedAdmin
from retry.models import Notice, NoticeEvent
from retry.notices.words import show_subject, show_text


class EventFilter(ChoiceFilter):
    title = gettext_lazy("event")
    parameter_name = column = "event"
    enumeration = NoticeEvent

    def get_label(self, choice: Any) -> str:
        return str(choice.label)


class NoticeAdmin(AuditedAdmin, ReadOnlyAdmin[Notice]):
    list_display = ("subject_words", "event_words", "when", "outcome")
    list_filter = (EventFilter,)
    ordering = ("-id",)
    fields = ("event_words", "when", "subject_words", "text_words", "link", "deliveries_table")
    change_form_template = "admin/retry/notice/change_form.html"
    change_list_template = "admin/retry/notice/change_list.html"
    blank_template = "retry/notice/none.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notice]:
        actor = get_actor(request)
        deliveries = visible_deliveries(actor).select_related("entry").order_by("pk")
        shown = deliveries.defer("entry__payload")
        return visible_notices(actor).prefetch_related(Prefetch("deliveries", queryset=shown))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(VIEW_ENTRY)

    def has_view_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        return request.user.has_perm(VIEW_ENTRY)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Notice | None:
        """Translate the subject, which titles and the history take from the notice."""
        notice = super().get_object(request, object_id, from_field)
        if notice is not None:
            notice.subject = show_subject(notice)
        return notice

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        notice = kwargs.get("obj")
        if notice is not None:
            context = context | {"title": notice.subject, "subtitle": None}
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=gettext_lazy("what happened"))
    def subject_words(self, notice: Notice) -> SafeString:
        return display.format_name(show_subject(notice), length=200)

    @admin.display(description=gettext_lazy("event"))
    def event_words(self, notice: Notice) -> str:
        return notice.get_event_display()

    @admin.display(description=gettext_lazy("when"))
    def when(self, notice: Notice) -> SafeString | str:
        return display.format_moment(notice.recorded_at)

    @admin.display(description=gettext_lazy("notices"))
    def outcome(self, notice: Notice) -> str:
        if notice.told_at is None:
            return str(gettext_lazy("waits: it may begin an outage"))
        return summarize(notice.deliveries.all()) or display.NOTHING

    @admin.display(description=gettext_lazy("text"))
    def text_words(self, notice: Notice) -> SafeString | str:
        text = show_text(notice)
        if not text:
            return display.NOTHING
        return format_html('<pre class="notice-text"><bdi>{}</bdi></pre>', text)

    @admin.display(description=gettext_lazy("look at"))
    def link(self, notice: Notice) -> SafeString | str:
        if not notice.path:
            return display.NOTHING
        return format_html('<a href="{}">{}</a>', notice.path, gettext_lazy("the page"))

    @admin.display(description=gettext_lazy("sent to"))
    def deliveries_table(self, notice: Notice) -> SafeString | str:
        rows = [
            format_html(
                "<li><bdi>{}</bdi>: {}</li>",
                delivery.target,
                format_html(
                    '<a href="/admin/entries/entry/{}/change/">{}</a>',
                    delivery.entry_id,
                    describe_delivery(delivery),
                )
                if delivery.entry_id
                else describe_delivery(delivery),
            )
            for delivery in notice.deliveries.all()
        ]
        if not rows:
            return display.NOTHING
        return format_html('<ul class="notice-deliveries">{}</ul>', SafeString("".join(rows)))
