"""Forms for entries and sources."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.forms.fields import InvalidJSONInput
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from entries.admin.display import format_json
from entries.admin.numbers import format_number
from entries.content import content_hash, is_same
from entries.kinds import registry as kinds
from entries.kinds.base import Kind
from entries.kinds.problems import find_payload_problems
from entries.masking import is_masked, mask_address, mask_values, restore_values
from entries.models import Entry, Source
from entries.phrases import show
from entries.sources import registry as source_kinds
from entries.sources.base import SourceKind, SourceSpec
from entries.sources.files import uploads
from entries.sources.items import MAX_PAYLOAD_BYTES
from entries.text import NotJSON, NotStorable, clean_json

if TYPE_CHECKING:
    _EntryForm = forms.ModelForm[Entry]
    _SourceForm = forms.ModelForm[Source]
else:
    _EntryForm = _SourceForm = forms.ModelForm


MASKED = _(
    "Masked values can be kept only if nothing else here is changed. Enter the credentials again, "
    "or leave everything as it was shown."
)


class JSONObjectField(forms.JSONField):
    """A JSON object that PostgreSQL can store exactly as entered; empty input is ``{}``."""

    def to_python(self, value: Any) -> Any:
        try:
            parsed = super().to_python(value)
            clean = clean_json({} if parsed is None else parsed, max_bytes=MAX_PAYLOAD_BYTES)
        except (NotJSON, NotStorable) as error:
            raise forms.ValidationError(
                gettext("This cannot be stored: %(why)s.") % {"why": show(error)}
            ) from error
        except (RecursionError, ValueError) as error:
            # Too deep, or with a number too long, for Python's own parser.
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
        if not isinstance(clean, dict):
            raise forms.ValidationError(gettext("Enter a JSON object: {…}."))
        if parsed is not None and clean != parsed:
            raise forms.ValidationError(
                gettext("This contains a value that JSON or PostgreSQL cannot store.")
            )
        return clean

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return the input unchanged, valid or not."""
        return InvalidJSONInput(data or "")

    def prepare_value(self, value: Any) -> Any:
        if value is None:  # a form that adds
            value = {}
        return value if isinstance(value, InvalidJSONInput | str) else format_json(value)


class EntryForm(_EntryForm):
    payload = JSONObjectField(
        label=_("payload"), required=False, widget=forms.Textarea(attrs={"class": "code"})
    )
    #: Hash of what the form was filled with, so that a sync in between is not overwritten.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Entry
        fields = ("title", "payload")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stored = content_hash(self.instance.title, self.instance.payload)
        self.initial["seen"] = self._stored

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("seen") != self._stored:
            raise forms.ValidationError(
                gettext(
                    "The entry's title or payload has changed since you opened this page. "
                    "Reload it and make your changes again."
                )
            )
        payload = cleaned.get("payload")
        if payload is not None and not is_same(payload, self.instance.payload):
            problems = find_payload_problems(self.instance.kind, payload)
            words = gettext("The kind %(kind)s refuses this payload: %(problem)s.")
            for problem in problems:
                said = {"kind": self.instance.kind, "problem": show(problem)}
                self.add_error("payload", words % said)
        return cleaned


class SourceForm(_SourceForm):
    options = JSONObjectField(
        label=_("options"), required=False, widget=forms.Textarea(attrs={"class": "code"})
    )
    upload = forms.FileField(
        required=False,
        label=_("File"),
        help_text=_("Upload a file instead of a location, for source kinds that read files."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: The location before, so that a file that is no longer used can be removed.
        self.location_before: str = self.instance.location
        self._stored = (self.instance.kind, self.instance.location, self.instance.options)
        if self.instance.pk:
            self.initial["location"] = mask_address(self.instance.location)
            self.initial["options"] = mask_values(self.instance.options)
        if "kind" in self.fields:  # a read-only form has no fields
            self._set_choices("kind", source_kinds.all_kinds())
            self._set_choices("entry_kind", kinds.all_kinds())
            self.fields["location"].required = False
            if in_use := uploads.display_name(self.location_before):
                words = gettext("Current file: %(name)s. A new file replaces it.")
                self.fields["upload"].help_text = words % {"name": in_use}
        if "sync_interval" in self.fields:
            interval = self.fields["sync_interval"]
            interval.label = gettext("Sync every")
            interval.help_text = gettext(
                "Seconds between syncs, at least 10. Leave empty to sync only on request."
            )

    def clean_upload(self) -> Any:
        upload = self.cleaned_data["upload"]
        limit = settings.REDRIVE_UPLOAD_MAX_BYTES
        if upload and upload.size > limit:
            words = gettext("The file has %(size)s bytes. The limit is %(limit)s bytes.")
            said = {"size": format_number(upload.size), "limit": format_number(limit)}
            raise forms.ValidationError(words % said, code="too_large")
        return upload

    def clean_location(self) -> str:
        """Keep the stored location if it comes back as it was shown; never store a mask."""
        given = str(self.cleaned_data["location"])
        _, stored, _ = self._stored
        if given == mask_address(stored):
            return stored
        if is_masked(given):
            raise forms.ValidationError(MASKED)
        return given

    def _restore_options(self, cleaned: dict[str, Any]) -> None:
        """Keep masked credentials, but never send them to another place."""
        kind, location, options = self._stored
        if not is_masked(cleaned["options"]):
            return
        same_place = (cleaned["kind"], cleaned["location"]) == (kind, location)
        restored = restore_values(cleaned["options"], stored=options)
        if is_masked(restored) or not same_place:
            self.add_error("options", MASKED)
        cleaned["options"] = restored

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        self._restore_options(cleaned)
        if not cleaned["upload"]:
            if not cleaned["location"]:
                self.add_error("location", gettext("Enter a location or upload a file."))
        elif source_kinds.get(cleaned["kind"]).reads_files:
            cleaned["location"] = uploads.new_location(cleaned["upload"].name)
        else:
            words = gettext("A source of the kind %(kind)s is not read from a file.")
            self.add_error("upload", words % {"kind": cleaned["kind"]})
        return cleaned

    def full_clean(self) -> None:
        """Check last whether it can be read: a file is kept only for a source that is saved."""
        super().full_clean()
        if not self.is_bound or self.errors:
            return
        cleaned = self.cleaned_data
        if cleaned["upload"]:
            uploads.store(cleaned["location"], cleaned["upload"])
        spec = SourceSpec(cleaned["slug"], cleaned["location"], cleaned["options"])
        problems = source_kinds.get(cleaned["kind"]).problems_with(spec)
        if problems:
            self.add_error(None, forms.ValidationError([show(each) for each in problems]))
            if cleaned["upload"]:
                uploads.remove(cleaned["location"])

    def _set_choices(
        self, name: str, registered: Mapping[str, type[Kind] | type[SourceKind]]
    ) -> None:
        """Offer the names of a registry. A stored name that it no longer has is no choice, so that
        saving asks for another."""
        field = self.fields[name]
        choices = [
            (key, f"{key}: {gettext(cls.description)}" if cls.description else key)
            for key, cls in registered.items()
        ]
        self.fields[name] = forms.ChoiceField(
            choices=[("", "---------"), *choices],
            label=field.label,
            help_text=field.help_text,
            initial=field.initial,
        )
