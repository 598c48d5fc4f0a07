"""The form for a file of entries: where they belong."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from entries.kinds import registry
from entries.models import Source
from retry.imports.tables import FORMATS

_ENDINGS = ", ".join(f".{name}" for name in FORMATS)


class UploadForm(forms.Form):
    """Checks only the shape; the service decides whether the file is accepted."""

    import_file = forms.FileField(
        label=_("File"),
        help_text=_("CSV, XLSX or JSON with a column external_id. Any number of rows."),
        widget=forms.FileInput(attrs={"accept": _ENDINGS}),
    )
    source = forms.ModelChoiceField(
        Source.objects.none(),
        label=_("Source"),
        required=False,
        to_field_name="slug",
        empty_label=_("none"),
        help_text=_("An entry is identified by its source and external id."),
    )
    kind = forms.ChoiceField(
        required=False,
        help_text=_("How the entries are processed. Leave empty to use the kind of the source."),
    )
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=500,
        help_text=_("Optional. Shown in the audit."),
    )

    def __init__(self, *args: Any, sources: QuerySet[Source], **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": ""} | kwargs)
        source: Any = self.fields["source"]
        source.queryset = sources
        names = [("", _("kind of the source")), *((name, name) for name in registry.names())]
        self.fields["kind"] = forms.ChoiceField(
            label=_("Kind"), choices=names, required=False, help_text=self.fields["kind"].help_text
        )
        self.order_fields(["import_file", "source", "kind", "reason"])
