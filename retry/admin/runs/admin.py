"""Runs, read-only."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from entries.admin import display
from entries.admin.filters import ChoiceFilter, KindFilter
from entries.models import Attempt, Entry
from entries.states import AttemptStatus, EntryStatus
from retry.access.records import visible_runs
from retry.admin.shared.actor import get_actor
from retry.admin.shared.links import link_to_operation
from retry.admin.shared.records import RecordAdmin, StateFilter
from retry.models import Run, RunState, Trigger


class TriggerFilter(ChoiceFilter):
    title = "trigger"
    parameter_name = column = "trigger"
    enumeration = Trigger

    def get_label(self, choice: Any) -> str:
        return str(choice.label)


class RunStateFilter(StateFilter):
    enumeration = RunState


class RunAdmin(RecordAdmin[Run]):
    list_display = (
        "short_id",
        "trigger",
        "requester",
        "kind",
        "size",
        "state_badge",
        "outcomes",
        "created",
    )
    list_filter = (RunStateFilter, TriggerFilter, KindFilter)
    search_fields = ("actor_label", "reason")
    search_help_text = "Searches who requested the run, and the reason."
    link_parameters: ClassVar = frozenset({"operation"})
    ordering = ("-created_at",)
    change_form_template = "admin/retry/run/change_form.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("state_badge", "outcomes", "skipped_words"),
                    ("trigger", "requester", "operation_link"),
                )
            },
        ),
        ("Work", {"fields": (("kind", "upstream", "queue", "worker"), ("job", "reason"))}),
        ("Times", {"fields": (("created", "dispatched", "started", "ended"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Leave out the ids, of which each run may have hundreds."""
        visible = visible_runs(get_actor(request)).order_by(*self.ordering)
        return visible.defer("entry_ids", "skipped")

    @admin.display(description="run")
    def short_id(self, run: Run) -> str:
        return run.pk.hex[:8]

    @admin.display(description="outcomes")
    def outcomes(self, run: Run) -> str:
        tallies = [
            f"{count:,} {name}"
            for name in ("succeeded", "failed", "scheduled", "lost", "cancelled")
            if (count := getattr(run, name))
        ]
        return ", ".join(tallies) or display.NOTHING

    @admin.display(description="skipped")
    def skipped_words(self, run: Run) -> str:
        """List what no longer belonged to the run when the worker claimed it."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in run.skipped_counts.items())
        return reasons.replace("_", " ") or display.NOTHING

    @admin.display(description="job")
    def job(self, run: Run) -> str:
        times = f", sent to Redis {run.dispatches} times" if run.dispatches > 1 else ""
        return f"{run.job_id}{times}"

    @admin.display(description="operation")
    def operation_link(self, run: Run) -> SafeString | str:
        return link_to_operation(run.operation_id)

    @admin.display(description="created")
    def created(self, run: Run) -> SafeString | str:
        return display.format_moment(run.created_at)

    @admin.display(description="sent to Redis")
    def dispatched(self, run: Run) -> SafeString | str:
        return display.format_moment(run.dispatched_at)

    @admin.display(description="started")
    def started(self, run: Run) -> SafeString | str:
        return display.format_moment(run.started_at)

    @admin.display(description="ended")
    def ended(self, run: Run) -> SafeString | str:
        return display.format_moment(run.ended_at)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        run = kwargs.get("obj")
        if run is not None:
            context = context | {
                "title": f"Run {self.short_id(run)}",
                "subtitle": None,
                "run_entries": _find_entries(run, request),
            }
        return super().render_change_form(request, context, *args, **kwargs)


def _find_entries(run: Run, request: HttpRequest) -> list[dict[str, Any]]:
    """Find the run's entries that the user may see, each with its outcome in this run.

    Two queries by primary key: a run has at most some hundred entries.
    """
    visible = Entry.objects.visible_to(request.user).filter(pk__in=run.entry_ids)
    entries = list(visible.only("id", "title", "external_id", "status").order_by("id"))
    attempts = Attempt.objects.filter(entry_id__in=run.entry_ids, run_id=run.pk)
    in_run = dict(attempts.values_list("entry_id", "status"))
    for entry in entries:
        # The attempt of a running entry is written when it ends.
        if entry.status == EntryStatus.RUNNING and in_run.get(entry.pk) == AttemptStatus.QUEUED:
            in_run[entry.pk] = AttemptStatus.RUNNING
    return [{"entry": entry, "in_run": in_run.get(entry.pk)} for entry in entries]
