"""Lists of what was requested: runs, operations, syncs and imports; and pages that are live."""

from typing import Any, Generic, TypeVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from entries.admin import display
from entries.admin.filters import ChoiceFilter
from entries.admin.lists import ReadOnlyAdmin
from entries.admin.live import respond
from entries.phrases import show
from retry.admin.shared.audited import AuditedAdmin
from retry.admin.shared.bar import Bar

M = TypeVar("M", bound=Model)


class StateFilter(ChoiceFilter):
    title = _("state")
    parameter_name = column = "state"


class RecordAdmin(AuditedAdmin, ReadOnlyAdmin[M], Generic[M]):
    """The columns that these lists share."""

    @admin.display(description=_("state"))
    def state_badge(self, record: Any) -> SafeString:
        return display.format_badge(record.state)

    @admin.display(description=_("requested by"))
    def requester(self, record: Any) -> str:
        return str(record.actor_label)

    @admin.display(description=_("reason"))
    def reason_words(self, record: Any) -> SafeString | str:
        return display.format_name(show(record.reason)) if record.reason else display.NOTHING

    @admin.display(description=_("requested"))
    def when(self, record: Any) -> SafeString | str:
        return display.format_moment(record.created_at)


class LiveRecordAdmin(RecordAdmin[M], Generic[M]):
    """Adds progress; the page of one has its own templates and keeps itself up to date."""

    #: The answer to a poll: the live part, and with ``moved`` what else changes.
    live_template: str
    #: Converter of the id in addresses.
    path_converter = "uuid"

    @admin.display(description=_("progress"))
    def progress(self, record: Any) -> SafeString:
        return self.get_bar(record).render()

    def get_bar(self, record: Any) -> Bar:
        raise NotImplementedError

    def get_title(self, record: M) -> str:
        raise NotImplementedError

    def get_live_context(self, request: HttpRequest, record: M) -> dict[str, Any]:
        """Return what the live part shows; ``live`` is its ``LiveFragment``."""
        raise NotImplementedError

    def get_stage_context(self, request: HttpRequest, live: dict[str, Any]) -> dict[str, Any]:
        """Return what else changes with the stage. ``live``: as from ``get_live_context``."""
        return {}

    def get_announcement(self, live: dict[str, Any]) -> str:
        """Return what a screen reader says when the stage has changed."""
        raise NotImplementedError

    def get_fieldsets(self, request: HttpRequest, obj: M | None = None) -> Any:
        return ()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        record = kwargs.get("obj")
        if record is not None:
            head = {"title": self.get_title(record), "subtitle": None}
            live = self.get_live_context(request, record)
            context = context | head | live | self.get_stage_context(request, live)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        live = self.admin_site.admin_view(require_safe(self.live_view))
        name = f"{self.opts.app_label}_{self.opts.model_name}_live"
        address = f"<{self.path_converter}:object_id>/live/"
        return [path(address, live, name=name), *super().get_urls()]

    def get_live_url(self, record: M) -> str:
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_live"
        return reverse(name, args=[record.pk])

    def live_view(self, request: HttpRequest, object_id: object) -> HttpResponse:
        """Answer a poll: 204, the live part, or the live part with all that follows from it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        record = self.get_object(request, str(object_id))
        if record is None:
            raise Http404
        context = self.get_live_context(request, record)
        if context["live"].has_moved(request):
            announcement = {"moved": True, "announcement": self.get_announcement(context)}
            context |= self.get_stage_context(request, context) | announcement
        return respond(request, context["live"], self.live_template, context)
