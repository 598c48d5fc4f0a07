"""What people say about a file: where its entries belong."""

from typing import Any

from django import forms

from entries.kinds import registry
from entries.models import Source
from retry.imports.tables import FORMATS

_ENDINGS = ", ".join(f".{name}" for name in FORMATS)


class UploadForm(forms.Form):
    """Only the shape of what was sent; the service says whether it is taken."""

    import_file = forms.FileField(
        label="File",
        help_text="CSV, XLSX or JSON with a column external_id, of any number of rows.",
        widget=forms.FileInput(attrs={"accept": _ENDINGS}),
    )
    source = forms.ModelChoiceField(
        Source.objects.all(),
        required=False,
        to_field_name="slug",
        empty_label="none",
        help_text="An entry is known by its source and external id.",
    )
    kind = forms.ChoiceField(
        required=False, help_text="How the entries are processed; with a source its own, if empty."
    )
    reason = forms.CharField(required=False, max_length=500, help_text="For the audit; optional.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        names = [("", "that of the source"), *((name, name) for name in registry.names())]
        self.fields["kind"] = forms.ChoiceField(
            choices=names, required=False, help_text=self.fields["kind"].help_text
        )
        self.order_fields(["import_file", "source", "kind", "reason"])
