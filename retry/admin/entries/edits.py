"""Unsaved edits on the page of an entry, when another button than Save is pressed."""

import re
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext

from entries.admin.forms import JSONObjectField
from entries.content import content_hash, is_same
from entries.models import Entry

#: The id that Django gives the form.
FORM_ID = "entry_form"
#: Sent when the user chose to leave the edits out.
WITHOUT_EDITS = "without_edits"
#: A browser removes these from the value of a text field.
_LINE_ENDS = re.compile(r"[\r\n]")


def has_edits(post: QueryDict, entry: Entry) -> bool:
    """Return whether the form was sent with another title or payload than it was opened with."""
    if "payload" not in post or post.get(WITHOUT_EDITS):
        return False
    title, seen = post.get("title", ""), post.get("seen")
    try:
        payload = JSONObjectField(required=False).clean(post["payload"])
    except forms.ValidationError:
        return True
    if seen == content_hash(entry.title, entry.payload):
        shown = _LINE_ENDS.sub("", entry.title)
        return title.strip() != shown.strip() or content_hash(entry.title, payload) != seen
    # The entry was stored again since then: only the hash of what was shown is known.
    return content_hash(title, payload) != seen


def read_changes(form: Any) -> dict[str, Any]:
    """Return what a valid form changes, as ``edit_and_retry`` takes it.

    What a browser does to a title by itself is no change.
    """
    title = form.cleaned_data["title"]
    # Who may not see it has no field for it.
    payload = form.cleaned_data.get("payload", form.initial["payload"])
    same_title = str(title).strip() == _LINE_ENDS.sub("", form.initial["title"]).strip()
    return {
        "seen": form.cleaned_data["seen"],
        "title": None if same_title else title,
        "payload": None if is_same(payload, form.initial["payload"]) else payload,
    }


def describe_unsaved(label: str) -> str:
    text = gettext(
        "Your changes are not saved, so “%(label)s” was not done. Save them first, or tick “Leave "
        "my changes out” and press “%(label)s” again."
    )
    return text % {"label": label}


def make_refusing_form(form: type[Any], why: str) -> type[Any]:
    """Make a form that keeps the edits, is never valid, and says ``why``.

    An empty ``why``: its own errors say it.
    """

    class RefusingForm(form):  # type: ignore[misc]
        def clean(self) -> dict[str, Any]:
            if why:
                raise forms.ValidationError(why)
            cleaned: dict[str, Any] = super().clean()
            if not self.errors:
                raise forms.ValidationError(gettext("Nothing was saved. Press the button again."))
            return cleaned

    return RefusingForm
