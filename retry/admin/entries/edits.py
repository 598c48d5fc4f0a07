"""Unsaved edits on the page of an entry, when another button than Save is pressed."""

import re
from typing import Any

from django import forms
from django.http import QueryDict

from entries.admin.forms import JSONObjectField
from entries.content import content_hash
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


def make_refusing_form(form: type[Any], label: str) -> type[Any]:
    """Make a form that keeps the edits and says why ``label`` was not done."""
    text = (
        f"Your changes are not saved, so “{label}” was not done. Save them first, or tick “Leave "
        f"my changes out” and press “{label}” again."
    )

    class RefusingForm(form):  # type: ignore[misc]
        def clean(self) -> dict[str, Any]:
            raise forms.ValidationError(text)

    return RefusingForm
