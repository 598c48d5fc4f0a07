"""The form that starts an operation: why, how fast, how carefully."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms

from retry.admin.entries.criteria import Asked
from retry.models import Action
from retry.operations.control import Pace
from retry.operations.selection import Preview

#: From so many entries on, a few of them are proposed to go first.
CANARY_FROM = 500
CANARY = 20
CANARY_PERCENT = 20


def new_key() -> str:
    return uuid4().hex


class StartForm(forms.Form):
    """``key`` is minted with the form: sent twice, it starts one operation."""

    reason = forms.CharField(
        required=False,
        max_length=500,
        help_text="Optional. It stands in the audit and on the operation's page.",
    )
    rate_per_second = forms.FloatField(
        label="Entries per second",
        required=False,
        min_value=0.01,
        max_value=1_000_000,
        help_text="How many may start in a second. Empty: as fast as the workers can.",
    )
    canary_size = forms.IntegerField(
        label="Canary",
        required=False,
        min_value=0,
        max_value=10_000,
        help_text="So many go first, and the rest only if few enough of them fail. Empty: none.",
    )
    max_failure_percent = forms.FloatField(
        label="Failure limit in percent",
        required=False,
        min_value=0,
        max_value=100,
        help_text="The operation pauses itself when more than this share of the canary or of its "
        "last outcomes has failed. Empty: no limit, but 10 for a canary.",
    )
    every = forms.BooleanField(
        label="Yes, I mean every entry there is",
        error_messages={"required": "Nothing narrows this: say that you mean every entry."},
    )
    only_if_changed = forms.BooleanField(
        label="Only what has changed",
        required=False,
        help_text="What the source has not changed is not processed again.",
    )
    key = forms.RegexField(
        r"\A[0-9a-f]{32}\Z",
        widget=forms.HiddenInput,
        error_messages={"required": "This form was incomplete.", "invalid": "This form was odd."},
    )

    def __init__(
        self,
        asked: Asked,
        data: Mapping[str, Any] | None = None,
        *,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, initial=dict(initial or {}), label_suffix="")
        self.initial.setdefault("key", new_key())
        if asked.action != Action.RESYNC:
            del self.fields["only_if_changed"]
        if not asked.action.by_workers:
            for name in ("rate_per_second", "canary_size", "max_failure_percent"):
                del self.fields[name]
        if not asked.everything:
            del self.fields["every"]

    def propose(self, found: Preview) -> None:
        """A canary for many entries; nothing that asks for thought for a few."""
        if "canary_size" in self.fields and (found.eligible > CANARY_FROM or not found.exact):
            self.initial.setdefault("canary_size", CANARY)
            self.initial.setdefault("max_failure_percent", CANARY_PERCENT)

    def pace(self) -> Pace:
        percent = self.cleaned_data.get("max_failure_percent")
        return Pace(
            rate_per_second=self.cleaned_data.get("rate_per_second"),
            canary_size=self.cleaned_data.get("canary_size") or 0,
            max_failure_rate=None if percent is None else percent / 100,
        )
