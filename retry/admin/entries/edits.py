"""Edits on the page of an entry that nobody has saved when a verb is pressed."""

import re
from typing import Any

from django import forms
from django.http import QueryDict

from entries.admin.forms import JSONObjectField
from entries.content import content_hash
from entries.models import Entry

#: Of the form with the edits, as Django's admin names it.
FORM_ID = "entry_form"
#: Somebody was asked, and wants the verb without the edits.
LEAVE_OUT = "without_edits"
#: What a text field of a browser leaves out of its value.
_LINE_ENDS = re.compile(r"[\r\n]")


def unsaved(post: QueryDict, entry: Entry) -> bool:
    """Whether the page was sent with a title or payload that is not what it was opened with."""
    if "payload" not in post or post.get(LEAVE_OUT):
        return False
    title, seen = post.get("title", ""), post.get("seen")
    try:
        payload = JSONObjectField(required=False).clean(post["payload"])
    except forms.ValidationError:
        return True
    if seen == content_hash(entry.title, entry.payload):
        shown = _LINE_ENDS.sub("", entry.title)
        return title.strip() != shown.strip() or content_hash(entry.title, payload) != seen
    # Stored anew since then: what was shown is known by its hash alone.
    return content_hash(title, payload) != seen


def refusing(form: type[Any], label: str) -> type[Any]:
    """``form``, which keeps what was typed and says why ``label`` did not happen."""
    text = (
        f"Your changes are not saved, so “{label}” has not happened. Save them first, or tick "
        "“Leave my changes out” and press it again."
    )

    class Refusing(form):  # type: ignore[misc]
        def clean(self) -> dict[str, Any]:
            raise forms.ValidationError(text)

    return Refusing
