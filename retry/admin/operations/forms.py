"""The form that starts an operation: reason, pace and safety."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast
from uuid import uuid4

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from entries.phrases import show
from retry.admin.operations.address import Proposal
from retry.admin.shared.selection import SelectionRefused
from retry.models import Action
from retry.operations.pace import Pace, parse_ramp
from retry.operations.selection import Preview

#: Above this number of entries, a canary is proposed.
CANARY_FROM = 500
CANARY = 20
CANARY_PERCENT = 20


class StartField(forms.DateTimeField):
    """A time in the time zone of the desk, which its help names."""

    def __init__(self) -> None:
        widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        super().__init__(label=_("Start at"), required=False, widget=widget)


def parse_start(post: QueryDict) -> datetime | None:
    """Parse another time to start at; None for "now". Raises ``SelectionRefused``."""
    try:
        return cast("datetime | None", StartField().clean(post.get("start_at", "")))
    except forms.ValidationError as error:
        text = gettext("%(why)s Nothing was changed.")
        raise SelectionRefused(text % {"why": error.messages[0]}) from error


class StartForm(forms.Form):
    """``key`` is made with the form, so that a form sent twice starts one operation."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("Optional. Shown in the audit and on the page of the operation."),
    )
    rate_per_second = forms.FloatField(
        label=_("Entries per second"),
        required=False,
        min_value=0.01,
        max_value=1_000_000,
        help_text=_("How many entries may start per second. Leave empty for no limit."),
    )
    canary_size = forms.IntegerField(
        label=_("Canary"),
        required=False,
        min_value=0,
        max_value=10_000,
        help_text=_(
            "How many entries go first, drawn from all large error groups. The rest start only if "
            "few enough of these fail. Leave empty for none."
        ),
    )
    ramp = forms.CharField(
        label=_("Ramp"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"placeholder": _("10, 100, 1,000, rest")}),
        help_text=_(
            "Entries in growing steps, in place of the canary. A step starts when the one before "
            "it has ended within the failure limit."
        ),
    )
    start_at = StartField()
    max_failure_percent = forms.FloatField(
        label=_("Failure limit in percent"),
        required=False,
        min_value=0,
        max_value=100,
        help_text=_(
            "The operation pauses when more than this share of its canary or of its latest "
            "outcomes failed. Leave empty for no limit; a canary then has a limit of 10 percent."
        ),
    )
    every = forms.BooleanField(
        label=_("Yes, include every entry"),
        error_messages={
            "required": _("No filter is set. Tick this box to confirm that you mean every entry.")
        },
    )
    only_if_changed = forms.BooleanField(
        label=_("Only changed entries"),
        required=False,
        help_text=_("Entries that have not changed in their source are not processed again."),
    )
    key = forms.RegexField(
        r"\A[0-9a-f]{32}\Z",
        widget=forms.HiddenInput,
        error_messages={
            "required": _("This form was incomplete. Reload the page and try again."),
            "invalid": _("This form was not valid. Reload the page and try again."),
        },
    )

    def __init__(
        self,
        proposal: Proposal,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), label_suffix="")
        self.initial.setdefault("key", uuid4().hex)
        if proposal.action != Action.RESYNC:
            del self.fields["only_if_changed"]
        if not proposal.action.by_workers:
            for name in ("rate_per_second", "canary_size", "ramp", "max_failure_percent"):
                del self.fields[name]
        zone = timezone.get_current_timezone_name()
        where = _("Time zone: %(zone)s. Leave empty to start at once.") % {"zone": zone}
        self.fields["start_at"].help_text = where
        if not proposal.everything:
            del self.fields["every"]

    def propose(self, found: Preview) -> None:
        """Propose a canary if there are many entries, or they could not be counted."""
        many = found.eligible is None or found.eligible > CANARY_FROM
        if "canary_size" in self.fields and many:
            self.initial.setdefault("canary_size", CANARY)
            self.initial.setdefault("max_failure_percent", CANARY_PERCENT)

    def clean_ramp(self) -> tuple[int, ...]:
        try:
            return parse_ramp(self.cleaned_data["ramp"])
        except ValueError as error:
            words = show(error)
            raise forms.ValidationError(f"{words[:1].upper()}{words[1:]}.") from error

    def get_pace(self) -> Pace:
        percent = self.cleaned_data.get("max_failure_percent")
        ramp = self.cleaned_data.get("ramp") or ()
        return Pace(
            rate_per_second=self.cleaned_data.get("rate_per_second"),
            canary_size=0 if ramp else self.cleaned_data.get("canary_size") or 0,
            ramp=ramp,
            start_at=self.cleaned_data.get("start_at"),
            max_failure_rate=None if percent is None else percent / 100,
        )
