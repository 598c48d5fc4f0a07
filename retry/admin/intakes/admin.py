"""What the lists and pages of syncs and imports share."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from entries.admin import display
from entries.admin.live import LiveFragment
from entries.phrases import show
from retry.admin.intakes.words import describe_stage
from retry.admin.shared.bar import Bar
from retry.admin.shared.records import LiveRecordAdmin, StateFilter
from retry.models import SyncState
from retry.models.intakes import Intake

M = TypeVar("M", bound=Intake)


class IntakeStateFilter(StateFilter):
    enumeration = SyncState


class IntakeAdmin(LiveRecordAdmin[M], Generic[M]):
    """Subclasses say what was counted, and in which words."""

    list_display = (
        "what",
        "state_badge",
        "progress",
        "found",
        "requester",
        "reason_words",
        "took",
        "when",
    )
    list_display_links = ("what",)
    change_form_template = "admin/retry/intake/change_form.html"
    change_list_template = "admin/retry/intake/change_list.html"
    live_template = "retry/intake/changed.html"
    facts_template: str

    def get_counts(self, row: M) -> Mapping[str, int]:
        """Return what was found, by name, in the order in which it is shown."""
        raise NotImplementedError

    def get_labels(self, row: M) -> Mapping[str, Promise]:
        """Return the words for the counts."""
        raise NotImplementedError

    def describe_found(self, row: M) -> str:
        raise NotImplementedError

    def describe_state(self, row: M) -> Sequence[str]:
        """Return sentences for a state; those of a failure follow the error."""
        raise NotImplementedError

    def get_facts(self, row: M) -> Sequence[tuple[str, int]]:
        raise NotImplementedError

    # --- the list ------------------------------------------------------------------------------

    @admin.display(description=_("found"))
    def found(self, row: M) -> SafeString | str:
        if row.error_code:
            return display.format_error(row.error_code, show(row.error))
        return self.describe_found(row)

    @admin.display(description=_("took"))
    def took(self, row: M) -> str:
        return display.format_duration(row.started_at, row.ended_at) or display.NOTHING

    def get_bar(self, record: M) -> Bar:
        """Draw what was read; items that are gone were not read."""
        counts = {name: n for name, n in self.get_counts(record).items() if name != "gone"}
        done = sum(counts.values())
        total = done if record.finished else max(record.total or done, done)
        return Bar.from_counts(counts, total=total, labels=self.get_labels(record))

    # --- the page of one -----------------------------------------------------------------------

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> Any:
        context = context | {"facts_template": self.facts_template}
        return super().render_change_form(request, context, *args, **kwargs)

    def get_live_context(self, request: HttpRequest, record: M) -> dict[str, Any]:
        counts, labels = self.get_counts(record), self.get_labels(record)
        facts = self.get_facts(record)
        numbers = (*counts.values(), *dict(facts).values(), record.queued, record.dispatches)
        return {
            "original": record,
            "error_words": show(record.error),
            "live": LiveFragment(
                url=self.get_live_url(record),
                version=".".join(map(str, (record.state, *numbers))),
                active=not record.finished,
            ),
            "bar": self.get_bar(record),
            "figures": [(name, count, str(labels[name])) for name, count in counts.items()],
            "state_words": self.describe_state(record),
            "facts": facts,
            "took": display.format_duration(record.started_at, record.ended_at or timezone.now()),
        }

    def get_announcement(self, live: dict[str, Any]) -> str:
        return describe_stage(live["original"])
