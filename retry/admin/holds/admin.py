"""Holds: what is on hold, what can be put on hold, and the history."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from entries.admin import display
from entries.admin.lists import BoundedList, ReadOnlyAdmin
from entries.kinds import registry
from entries.kinds.base import MAX_UPSTREAM
from entries.kinds.upstreams import has_upstreams
from entries.phrases import show
from retry import service
from retry.access.permissions import MANAGE_HOLD
from retry.access.records import visible_holds
from retry.access.visibility import find_sources, sees_everything, visible_sources
from retry.admin.holds.rows import MAX_SOURCES, MAX_UPSTREAMS, list_rows, list_upstream_rows
from retry.admin.holds.words import describe_change
from retry.admin.shared.actor import get_actor
from retry.admin.shared.audited import AuditedAdmin
from retry.admin.shared.messages import add_messages
from retry.admin.shared.refusals import show_refusals
from retry.admin.shared.selection import SelectionRefused, parse_reason
from retry.holds import control
from retry.holds.errors import HoldNotFound
from retry.holds.overview import list_active, shield
from retry.models import Hold


class HoldList(BoundedList):
    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = shield(self.result_list, actor=get_actor(request))


class HoldAdmin(AuditedAdmin, ReadOnlyAdmin[Hold]):
    list_display = (
        "what",
        "since",
        "until",
        "by",
        "reason_words",
        "lifted",
        "lifted_by",
        "lifted_words",
    )
    list_display_links = None
    ordering = ("-id",)
    search_fields = ("kind", "upstream", "source__slug", "actor_label", "reason")
    search_help_text = _("Searches what was on hold, who put it on hold, and the reason.")
    fields = (
        "what",
        "since",
        "until",
        "by",
        "reason_words",
        "failed_probes",
        "lifted",
        "lifted_by",
        "lifted_words",
    )
    change_form_template = "admin/retry/change_form.html"
    change_list_template = "admin/retry/hold/change_list.html"
    blank_template = "retry/hold/none.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        return visible_holds(get_actor(request)).order_by("-id").select_related("source")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return HoldList

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Hold | None:
        found: Hold | None = super().get_object(request, object_id, from_field)
        return None if found is None else shield([found], actor=get_actor(request))[0]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search no reasons that are not shown."""
        everything = find_sources(get_actor(request)).everything
        return self.search_fields if everything else self.search_fields[:-1]

    @admin.display(description=_("on hold"))
    def what(self, hold: Hold) -> str:
        return capfirst(show(control.describe_target(hold)))

    @admin.display(description=_("reason"))
    def reason_words(self, hold: Hold) -> str:
        return show(hold.reason)

    @admin.display(description=_("lifted reason"))
    def lifted_words(self, hold: Hold) -> str:
        return show(hold.lifted_reason)

    @admin.display(description=_("since"))
    def since(self, hold: Hold) -> SafeString | str:
        return display.format_moment(hold.created_at)

    @admin.display(description=_("by"))
    def by(self, hold: Hold) -> str:
        return hold.actor_label

    @admin.display(description=_("lifted"))
    def lifted(self, hold: Hold) -> SafeString | str:
        return display.format_moment(hold.lifted_at) if hold.lifted_at else gettext("not lifted")

    @admin.display(description=_("until"))
    def until(self, hold: Hold) -> SafeString | str:
        return display.format_moment(hold.ends_at)

    @admin.display(description=_("failed probes"))
    def failed_probes(self, hold: Hold) -> str:
        return intcomma(hold.probes)

    # --- what is on hold ------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        actor = get_actor(request)
        counting = sees_everything(actor)
        holds = shield(list_active(actor), actor=actor)
        whole = [hold for hold in holds if not hold.upstream]
        kinds, sources = list_rows(whole, known=visible_sources(actor), counting=counting)
        upstreams = [hold for hold in holds if hold.upstream]
        context = {
            "upstream_rows": list_upstream_rows(upstreams[:MAX_UPSTREAMS], counting=counting),
            "more_upstreams": len(upstreams) - MAX_UPSTREAMS,
            "kinds_with_upstreams": [
                name for name, kind in registry.all_kinds().items() if has_upstreams(kind)
            ],
            "kind_rows": kinds,
            "source_rows": sources,
            "more_sources": len(sources) >= MAX_SOURCES,
            "may_hold": may_hold(request),
            "may_hold_kinds": may_hold(request) and find_sources(actor).everything,
        }
        return super().changelist_view(request, context | (extra_context or {}))

    # --- what can be done ------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        put = self.admin_site.admin_view(require_POST(self.put_view))
        lift = self.admin_site.admin_view(require_POST(self.lift_view))
        return [
            path("put/", put, name="retry_hold_put"),
            path("<int:object_id>/lift/", lift, name="retry_hold_lift"),
            *super().get_urls(),
        ]

    def put_view(self, request: HttpRequest) -> HttpResponse:
        kind, source = request.POST.get("kind", ""), request.POST.get("source", "")
        upstream = request.POST.get("upstream", "").strip()
        missing = "upstream" in request.POST and not upstream
        if (
            not bool(kind) ^ bool(source)
            or (source and upstream)
            or missing
            or len(upstream) > MAX_UPSTREAM
            or "\0" in kind + source + upstream
        ):
            text = (
                gettext("Choose an upstream and its kind. Nothing was changed.")
                if missing
                else gettext("Choose a kind or a source. Nothing was changed.")
            )
            messages.error(request, text)
            return self._act(request, None)
        if source:
            return self._act(
                request, lambda **by: service.hold_source(source, ends_at=parse_end(request), **by)
            )
        return self._act(
            request,
            lambda **by: service.hold_kind(kind, upstream, ends_at=parse_end(request), **by),
        )

    def lift_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._act(request, lambda **by: service.lift_hold(object_id, **by))

    def _act(self, request: HttpRequest, verb: Callable[..., Hold] | None) -> HttpResponse:
        if not self.has_view_permission(request) or not may_hold(request):
            raise PermissionDenied
        with show_refusals(request, missing=HoldNotFound):
            if verb is not None:
                hold = verb(actor=get_actor(request), reason=parse_reason(request.POST))
                add_messages(request, describe_change(hold))
        return redirect("admin:retry_hold_changelist")


def may_hold(request: HttpRequest) -> bool:
    return request.user.has_perm(MANAGE_HOLD)


def parse_end(request: HttpRequest) -> datetime | None:
    """Parse when the hold ends by itself; None for never. Raises ``SelectionRefused``."""
    field = forms.DateTimeField(required=False)
    try:
        return cast("datetime | None", field.clean(request.POST.get("ends_at", "")))
    except forms.ValidationError as error:
        text = gettext("%(why)s Nothing was changed.")
        raise SelectionRefused(text % {"why": error.messages[0]}) from error
