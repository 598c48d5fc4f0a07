"""Holds: what stands, what could be put on hold, and what was."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.views.decorators.http import require_POST

from entries.admin import show
from entries.admin.listing import ReadOnlyAdmin
from entries.errors import EntriesError
from entries.kinds import registry
from entries.kinds.base import MAX_UPSTREAM
from entries.kinds.upstreams import has_upstreams
from entries.models import Source
from retry.access.permissions import MANAGE_HOLD
from retry.access.visibility import sees_everything
from retry.admin.audit.audited import AuditedAdmin
from retry.admin.holds import words as hold_words
from retry.admin.shared import messages as words
from retry.admin.shared.acting import actor_of
from retry.admin.shared.selection import ReasonForm, SelectionRefused, reason_of
from retry.errors import HoldNotFound, RetryError
from retry.holds import control
from retry.holds.overview import WaitingCounts, list_active
from retry.models import Hold

#: Sources that are offered; each has its button on its own page as well.
_SOURCES = 100
#: Upstreams on hold that are listed; the history has all of them.
_UPSTREAMS = 100


@dataclass(frozen=True, slots=True)
class Row:
    """A kind (``field`` is ``"kind"``), an upstream or a source, and the hold that stands on it."""

    field: str
    value: str
    title: str
    hold: Hold | None
    waiting: str


@admin.register(Hold)
class HoldAdmin(AuditedAdmin, ReadOnlyAdmin[Hold]):
    list_display = ("what", "since", "by", "reason", "lifted", "lifted_by", "lifted_reason")
    list_display_links = None
    list_per_page = 25
    ordering = ("-id",)
    search_fields = ("kind", "upstream", "source__slug", "actor_label", "reason")
    search_help_text = "Searches what was on hold, who put it there, and why."
    fields = (
        "what",
        "since",
        "by",
        "reason",
        "failed_probes",
        "lifted",
        "lifted_by",
        "lifted_reason",
    )
    change_form_template = "admin/retry/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        return super().get_queryset(request).select_related("source")

    @admin.display(description="on hold")
    def what(self, hold: Hold) -> str:
        return capfirst(control.describe_target(hold))

    @admin.display(description="since")
    def since(self, hold: Hold) -> SafeString | str:
        return show.moment(hold.created_at)

    @admin.display(description="by")
    def by(self, hold: Hold) -> str:
        return hold.actor_label

    @admin.display(description="lifted")
    def lifted(self, hold: Hold) -> SafeString | str:
        return show.moment(hold.lifted_at) if hold.lifted_at else "it stands"

    @admin.display(description="failed probes")
    def failed_probes(self, hold: Hold) -> str:
        return f"{hold.probes:,}"

    # --- what stands ---------------------------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        counting = sees_everything(actor_of(request))
        holds = list(list_active())
        kinds, sources = _rows([hold for hold in holds if not hold.upstream], counting=counting)
        parted = [hold for hold in holds if hold.upstream]
        context = {
            "upstream_rows": _upstream_rows(parted[:_UPSTREAMS], counting=counting),
            "more_upstreams": len(parted) - _UPSTREAMS,
            "kinds_with_upstreams": [
                name for name, kind in registry.all_kinds().items() if has_upstreams(kind)
            ],
            "kind_rows": kinds,
            "source_rows": sources,
            "more_sources": len(sources) >= _SOURCES,
            "may_hold": may_hold(request),
            "reason_form": ReasonForm(),
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
            said = "which upstream of which kind" if missing else "which kind or which source"
            messages.error(request, f"Say {said}; nothing was changed.")
            return self._act(request, None)
        if source:
            return self._act(request, lambda **asked: control.hold_source(source, **asked))
        return self._act(request, lambda **asked: control.hold_kind(kind, upstream, **asked))

    def lift_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return self._act(request, lambda **asked: control.lift(object_id, **asked))

    def _act(self, request: HttpRequest, verb: Callable[..., Hold] | None) -> HttpResponse:
        if not self.has_view_permission(request) or not may_hold(request):
            raise PermissionDenied
        try:
            if verb is not None:
                hold = verb(actor=actor_of(request), reason=reason_of(request.POST))
                words.show(request, [words.of_hold(hold)])
        except HoldNotFound as error:
            raise Http404 from error
        except SelectionRefused as refusal:
            messages.error(request, str(refusal))
        except (RetryError, EntriesError) as error:
            words.show(request, [words.of_refusal(error)])
        return redirect("admin:retry_hold_changelist")


def may_hold(request: HttpRequest) -> bool:
    return request.user.has_perm(MANAGE_HOLD)


def _upstream_rows(holds: list[Hold], *, counting: bool) -> list[Row]:
    waiting = hold_words.waiting_now(holds) if counting else {}
    return [
        Row(
            "upstream",
            hold.upstream,
            f"of {hold.kind}",
            hold,
            hold_words.of_waiting(waiting.get(hold.pk, WaitingCounts())) if counting else "",
        )
        for hold in holds
    ]


def _rows(holds: list[Hold], *, counting: bool) -> tuple[list[Row], list[Row]]:
    """Kinds, and sources: those on hold first. A kind that is gone is shown while it is held.

    ``counting``: with what waits, for those who may see all entries.
    """
    waiting = hold_words.waiting_now(holds) if counting else {}
    by_kind = {hold.kind: hold for hold in holds if hold.kind}
    by_source = {hold.source.slug: hold for hold in holds if hold.source}
    names = sorted({*registry.names(), *by_kind}, key=lambda name: (name not in by_kind, name))
    rest = Source.objects.exclude(slug__in=by_source).values_list("slug", "name")[:_SOURCES]
    titles = {hold.source.slug: hold.source.name for hold in by_source.values() if hold.source}

    def row(field: str, value: str, title: str, hold: Hold | None) -> Row:
        known = waiting.get(hold.pk, WaitingCounts()) if hold and counting else None
        said = hold_words.of_waiting(known) if known else ""
        return Row(field, value, title, hold, said)

    kinds = [row("kind", name, _description(name), by_kind.get(name)) for name in names]
    sources = [row("source", s, n, by_source.get(s)) for s, n in [*titles.items(), *rest]]
    return kinds, sources


def _description(name: str) -> str:
    known = registry.all_kinds().get(name)
    return known.description if known else "No kind of this name is installed any more."
