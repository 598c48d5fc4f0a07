"""What was selected in a list, and the reason for it, as a form sends them."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME, ActionForm
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_NO = frozenset({"", "0", "false", "False"})


class SelectionRefused(Exception):
    """The form is invalid, or selects what cannot be selected. The message says which."""


class _ReasonField(forms.CharField):
    def __init__(self) -> None:
        widget = forms.TextInput(attrs={"placeholder": gettext_lazy("Reason (optional)")})
        super().__init__(
            label=gettext_lazy("Reason"), required=False, max_length=500, widget=widget
        )


class ReasonForm(forms.Form):
    reason = _ReasonField()


class ActionsForm(ActionForm):
    """Django's form above a list, with a reason, and a key that marks a form sent twice."""

    reason = _ReasonField()
    form_key = forms.CharField(
        required=False, widget=forms.HiddenInput, initial=lambda: uuid4().hex
    )


@dataclass(frozen=True, slots=True)
class ListSelection:
    """Ticked rows; with ``all_pages`` everything that the list shows on all its pages instead.

    ``key``: the same for the same rows ticked in the same form.
    """

    ids: tuple[int, ...]
    reason: str
    all_pages: bool
    key: str


def parse_selection(post: QueryDict, *, allow_all_pages: bool = True) -> ListSelection:
    """Parse what was selected. Raises ``SelectionRefused``."""
    ids = post.getlist(ACTION_CHECKBOX_NAME)
    if not all(id_.isascii() and id_.isdigit() and len(id_) <= 18 for id_ in ids):
        raise SelectionRefused(_("The selection is not from this list. Nothing was changed."))
    all_pages = any(value not in _NO for value in post.getlist("select_across"))
    if all_pages and not allow_all_pages:
        raise SelectionRefused(_("Only ticked rows can be selected here. Nothing was changed."))
    return ListSelection(
        ids=tuple(int(id_) for id_ in ids),
        reason=parse_reason(post),
        all_pages=all_pages,
        key=_hash_selection(post, ids),
    )


def _hash_selection(post: QueryDict, ids: Sequence[str]) -> str:
    form_key = post.get("form_key") or uuid4().hex
    return sha256(" ".join([form_key, *ids]).encode()).hexdigest()


def parse_reason(post: QueryDict) -> str:
    """Parse the optional reason. Raises ``SelectionRefused`` where it cannot be stored."""
    form = ReasonForm(post)
    if form.is_valid():
        return str(form.cleaned_data["reason"])
    problems: dict[str, Any] = form.errors.get_json_data()
    text = _("The reason is not valid: %(why)s")
    raise SelectionRefused(text % {"why": problems["reason"][0]["message"]})
