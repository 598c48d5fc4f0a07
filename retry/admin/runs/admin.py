"""Runs, read-only."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from entries.admin import display
from entries.admin.filters import ChoiceFilter, KindFilter
from entries.models import Attempt, Entry
from entries.states import AttemptStatus, EntryStatus
from retry.access.records import shield_runs, visible_runs
from retry.access.visibility import find_sources
from retry.admin.shared.actor import get_actor
from retry.admin.shared.bar import describe_counts
from retry.admin.shared.links import link_to_operation
from retry.admin.shared.records import RecordAdmin, StateFilter
from retry.models import Run, RunState, Trigger

_OUTCOMES: Mapping[str, Promise] = {
    "succeeded": _("succeeded"),
    "failed": _("failed"),
    "scheduled": _("scheduled"),
    "lost": _("lost"),
    "cancelled": _("cancelled"),
}


class TriggerFilter(ChoiceFilter):
    title = _("trigger")
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
    search_help_text = _("Searches who requested the run, and the reason.")
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
        (
            _("Work"),
            {"fields": (("kind", "upstream", "queue", "worker"), ("job", "request_id", "reason"))},
        ),
        (_("Times"), {"fields": (("exactly_created", "dispatched", "started", "ended"),)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        """Leave out the ids, of which each run may have hundreds."""
        visible = visible_runs(get_actor(request)).order_by(*self.ordering)
        return visible.defer("entry_ids", "skipped")

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Run | None:
        run: Run | None = super().get_object(request, object_id, from_field)
        if run is not None:
            shield_runs([run], actor=get_actor(request))
        return run

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        """Search no reasons that may be about entries of hidden sources."""
        everything = find_sources(get_actor(request)).everything
        return self.search_fields if everything else ("actor_label",)

    @admin.display(description=_("run"))
    def short_id(self, run: Run) -> str:
        return run.pk.hex[:8]

    @admin.display(description=_("outcomes"))
    def outcomes(self, run: Run) -> str:
        counts = {name: getattr(run, name) for name in _OUTCOMES}
        return describe_counts(counts, _OUTCOMES) or display.NOTHING

    @admin.display(description=_("skipped"))
    def skipped_words(self, run: Run) -> str:
        """List what no longer belonged to the run when the worker claimed it."""
        return (
            display.NOTHING
            if not run.skipped_counts
            else ", ".join(
                f"{intcomma(count)} {gettext(reason.replace('_', ' '))}"
                for reason, count in run.skipped_counts.items()
            )
        )

    @admin.display(description=_("job"))
    def job(self, run: Run) -> str:
        if run.dispatches < 2:
            return str(run.job_id)
        text = ngettext(
            "%(job)s, sent to Redis %(count)s time",
            "%(job)s, sent to Redis %(count)s times",
            run.dispatches,
        )
        return text % {"job": run.job_id, "count": intcomma(run.dispatches)}

    @admin.display(description=_("operation"))
    def operation_link(self, run: Run) -> SafeString | str:
        return link_to_operation(run.operation_id)

    @admin.display(description=_("created"))
    def created(self, run: Run) -> SafeString | str:
        return display.format_moment(run.created_at)

    @admin.display(description=_("created"))
    def exactly_created(self, run: Run) -> SafeString | str:
        return display.format_time(run.created_at)

    @admin.display(description=_("sent to Redis"))
    def dispatched(self, run: Run) -> SafeString | str:
        return display.format_time(run.dispatched_at)

    @admin.display(description=_("started"))
    def started(self, run: Run) -> SafeString | str:
        return display.format_time(run.started_at)

    @admin.display(description=_("ended"))
    def ended(self, run: Run) -> SafeString | str:
        return display.format_time(run.ended_at)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        run = kwargs.get("obj")
        if run is not None:
            context = context | {
                "title": gettext("Run %(id)s") % {"id": self.short_id(run)},
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
