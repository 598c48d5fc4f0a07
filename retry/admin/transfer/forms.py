"""What people say about a file: where its entries belong; and, after the preview, that it is so."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from import_export.forms import ImportForm

from entries.errors import EntriesError
from entries.kinds import registry
from entries.models import Source
from retry.admin.transfer.reading import FORMATS
from retry.admin.transfer.storage import KEPT
from retry.errors import RetryError
from retry.submission import destination

_ENDINGS = ", ".join(f".{found.extension}" for found in FORMATS)


def _hidden(*, required: bool = True, max_length: int = 500) -> forms.CharField:
    return forms.CharField(required=required, max_length=max_length, widget=forms.HiddenInput)


class UploadForm(ImportForm):
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
    field_order = ("import_file", "source", "kind", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs, label_suffix="")
        self.fields["format"] = _hidden(required=False)  # the name of the file says it
        self.fields["kind"].choices = [
            ("", "that of the source"),
            *((name, name) for name in registry.names()),
        ]
        upload = self.fields["import_file"]
        upload.label, upload.widget.attrs = "File", {"accept": _ENDINGS}
        upload.help_text = (
            f"CSV, XLSX or JSON with a column external_id, at most "
            f"{settings.REDRIVE_IMPORT_LIMIT:,} rows."
        )

    @property
    def media(self) -> forms.Media:
        return forms.Media()  # the library would guess the format with a script

    def clean_import_file(self) -> Any:
        upload = self.cleaned_data["import_file"]
        limit = settings.REDRIVE_IMPORT_MAX_BYTES
        if upload.size > limit:
            raise forms.ValidationError(
                f"It has more than {limit:,} bytes. Add a source and give it the file: "
                "a sync reads files of any length."
            )
        return upload

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if upload := cleaned.get("import_file"):
            endings = [found.extension for found in FORMATS]
            ending = upload.name.rpartition(".")[2].lower()
            if ending in endings:
                cleaned["format"] = str(endings.index(ending))
            else:
                self.add_error("import_file", f"Its name must end in one of {_ENDINGS}.")
        source: Source | None = cleaned.get("source")
        if not self.errors:
            try:
                destination(kind=cleaned["kind"] or None, source=source.slug if source else None)
            except (EntriesError, RetryError):
                self.add_error("kind", "Choose a kind, or a source whose entries have one.")
        return cleaned


class ConfirmForm(forms.Form):
    """Carries what was chosen. The name of the waiting file is signed for the user who sent it."""

    import_file_name = _hidden()
    original_file_name = _hidden()
    format = forms.ChoiceField(
        choices=[(str(index), "") for index in range(len(FORMATS))], widget=forms.HiddenInput
    )
    source = _hidden(required=False, max_length=80)
    kind = _hidden(required=False, max_length=50)
    reason = _hidden(required=False)

    def __init__(self, *args: Any, user_id: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._signer = TimestampSigner(salt=f"redrive.import:{user_id}")

    def sign(self, name: str) -> str:
        return self._signer.sign(name)

    def clean_import_file_name(self) -> str:
        try:
            return self._signer.unsign(self.cleaned_data["import_file_name"], max_age=KEPT)
        except BadSignature as error:
            raise forms.ValidationError("This is not the file of your preview.") from error
