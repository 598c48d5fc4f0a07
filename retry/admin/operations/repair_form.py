"""The form of a repair: what is changed in payloads, and how the operation runs."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from entries.phrases import show
from entries.repairs import Repair, list_repairs
from retry.admin.operations.forms import StartForm

EXAMPLE = '[{"op": "replace", "path": "/url", "value": "https://example.com/"}]'


class RepairForm(StartForm):
    """Valid with one of two: a JSON Patch, or the name of a kind's repair."""

    patch = forms.CharField(
        label=_("JSON Patch"),
        required=False,
        strip=True,
        widget=forms.Textarea(
            attrs={"class": "code", "rows": 6, "spellcheck": "false", "placeholder": EXAMPLE}
        ),
        help_text=_("A list of operations on the payload, as RFC 6902 describes them."),
    )
    name = forms.ChoiceField(
        label=_("Repair of a kind"),
        required=False,
        help_text=_("Instead of a patch: what a kind offers for its own entries."),
    )
    field_order = ("patch", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        repairs = list_repairs()
        choices = [(name, f"{name} ({', '.join(kinds)})") for name, kinds in repairs.items()]
        if repairs:
            self.fields["name"] = forms.ChoiceField(
                label=self.fields["name"].label,
                help_text=self.fields["name"].help_text,
                required=False,
                choices=[("", "---------"), *choices],
            )
        else:
            del self.fields["name"]
        #: What the valid form describes.
        self.repair: Repair | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        patch, name = cleaned.get("patch", ""), cleaned.get("name", "")
        if bool(patch) == bool(name):
            raise forms.ValidationError(_("Give a JSON Patch or choose a repair, one of the two."))
        try:
            data = {"name": name} if name else {"patch": json.loads(patch)}
            self.repair = Repair.from_data(data)
        except RecursionError:
            self.add_error("patch", _("This is nested too deep."))
        except ValueError as error:
            self.add_error("name" if name else "patch", f"{show(error)}.")
        return cleaned
