"""What a list's form says was selected, parsed before anything else looks at it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.http import QueryDict

_NO = frozenset({"", "0", "false", "False"})


class SelectionRefused(Exception):
    """The form makes no sense, or asks for what is not to be had; the message says which."""


class ReasonForm(forms.Form):
    reason = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"placeholder": "Reason (optional)"}),
    )


class VerbForm(ActionForm):
    """Django's form above a list, with a reason for the audit, and a mark by which the same form
    is known when it is sent again.
    """

    reason = forms.CharField(
        required=False,
        max_length=500,
        widget=forms.TextInput(attrs={"placeholder": "Reason (optional)"}),
    )
    form_key = forms.CharField(
        required=False, widget=forms.HiddenInput, initial=lambda: uuid4().hex
    )


@dataclass(frozen=True, slots=True)
class Ticked:
    """``across``: not the ``ids``, but all that the list shows on all its pages.

    ``key``: the same for the same ticks in the same form.
    """

    ids: tuple[int, ...]
    reason: str
    across: bool
    key: str


def selection_of(post: QueryDict, *, across_too: bool = True) -> Ticked:
    """Raises ``SelectionRefused``."""
    ids = post.getlist(ACTION_CHECKBOX_NAME)
    if not all(id_.isascii() and id_.isdigit() and len(id_) <= 18 for id_ in ids):
        raise SelectionRefused("That selection is none of this page's; nothing was changed.")
    across = any(value not in _NO for value in post.getlist("select_across"))
    if across and not across_too:
        raise SelectionRefused("Only what is ticked can be chosen here; nothing was changed.")
    return Ticked(tuple(int(id_) for id_ in ids), reason_of(post), across, _key(post, ids))


def _key(post: QueryDict, ids: Sequence[str]) -> str:
    mark = post.get("form_key") or uuid4().hex
    return sha256(" ".join([mark, *ids]).encode()).hexdigest()


def reason_of(post: QueryDict) -> str:
    """The optional reason. Raises ``SelectionRefused`` where it cannot be stored."""
    form = ReasonForm(post)
    if form.is_valid():
        return str(form.cleaned_data["reason"])
    problems: dict[str, Any] = form.errors.get_json_data()
    raise SelectionRefused(f"The reason cannot be used: {problems['reason'][0]['message']}")
