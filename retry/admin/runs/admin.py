"""Runs, to look at."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from entries.admin import show
from entries.admin.filters import EqualFilter, KindFilter
from entries.admin.listing import ReadOnlyAdmin
from entries.models import Attempt, Entry
from retry.admin.audit.audited import AuditedAdmin
from retry.admin.operations.admin import operation_link
from retry.models import Run, RunState, Trigger


class TriggerFilter(EqualFilter):
    title = "trigger"
    parameter_name = column = "trigger"
    closed = True

    def offered(self) -> list[tuple[str, str]]:
        return [(trigger.value, str(trigger.label)) for trigger in Trigger]


class StateFilter(EqualFilter):
    title = "state"
    parameter_name = column = "state"
    closed = True

    def offered(self) -> list[tuple[str, str]]:
        return [(state.value, state.value) for state in RunState]


@admin.register(Run)
class RunAdmin(AuditedAdmin, ReadOnlyAdmin[Run]):
    list_display = (
        "short_id",
        "trigger",
        "asked_by",
        "kind",
        "size",
        "state_shown",
        "outcomes",
        "created",
    )
    list_filter = (StateFilter, TriggerFilter, KindFilter)
    search_fields = ("actor_label", "reason")
    search_help_text = "Searches who asked and why."
    link_parameters: ClassVar = frozenset({"operation"})
    ordering = ("-created_at",)
    change_form_template = "admin/retry/run/change_form.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state_shown", "outcomes", "left_out"),
                    ("trigger", "asked_by", "part_of"),
                )
            },
        ),
        ("Work", {"fields": (("kind", "upstream", "queue", "worker"), ("job", "reason"))}),
        ("When", {"fields": (("created", "dispatched", "started", "ended"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Without the ids, of which each run may have hundreds."""
        return super().get_queryset(request).defer("entry_ids", "skipped")

    @admin.display(description="run")
    def short_id(self, run: Run) -> str:
        return run.pk.hex[:8]

    @admin.display(description="state")
    def state_shown(self, run: Run) -> SafeString:
        return show.badge(run.state)

    @admin.display(description="outcomes")
    def outcomes(self, run: Run) -> str:
        tallies = [
            f"{count:,} {name}"
            for name in ("succeeded", "failed", "scheduled", "lost", "cancelled")
            if (count := getattr(run, name))
        ]
        return ", ".join(tallies) or show.NOTHING

    @admin.display(description="skipped")
    def left_out(self, run: Run) -> str:
        """What the worker found was not the run's any more."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in run.skipped_counts.items())
        return reasons.replace("_", " ") or show.NOTHING

    @admin.display(description="asked by")
    def asked_by(self, run: Run) -> str:
        return run.actor_label

    @admin.display(description="job")
    def job(self, run: Run) -> str:
        times = f", handed over {run.dispatches} times" if run.dispatches > 1 else ""
        return f"{run.job_id}{times}"

    @admin.display(description="operation")
    def part_of(self, run: Run) -> SafeString | str:
        return operation_link(run.operation_id)

    @admin.display(description="created")
    def created(self, run: Run) -> SafeString | str:
        return show.moment(run.created_at)

    @admin.display(description="handed over")
    def dispatched(self, run: Run) -> SafeString | str:
        return show.moment(run.dispatched_at)

    @admin.display(description="started")
    def started(self, run: Run) -> SafeString | str:
        return show.moment(run.started_at)

    @admin.display(description="ended")
    def ended(self, run: Run) -> SafeString | str:
        return show.moment(run.ended_at)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        run = kwargs.get("obj")
        if run is not None:
            context = context | {
                "title": f"Run {self.short_id(run)}",
                "subtitle": None,
                "run_entries": _entries_of(run, request),
            }
        return super().render_change_form(request, context, *args, **kwargs)


def run_link(run_id: Any) -> SafeString | str:
    if run_id is None:
        return show.NOTHING
    return format_html(
        '<a href="{}">{}</a>', reverse("admin:retry_run_change", args=[run_id]), run_id.hex[:8]
    )


def _entries_of(run: Run, request: HttpRequest) -> list[dict[str, Any]]:
    """The run's entries that the user may see, each with what became of it in this run.

    A run is bounded (some hundred entries), so this is two queries by primary key.
    """
    visible = Entry.objects.visible_to(request.user).filter(pk__in=run.entry_ids)
    entries = visible.only("id", "title", "external_id", "status").order_by("id")
    attempts = Attempt.objects.filter(entry_id__in=run.entry_ids, run_id=run.pk)
    in_run = dict(attempts.values_list("entry_id", "status"))
    return [{"entry": entry, "in_run": in_run.get(entry.pk)} for entry in entries]
