"""The verbs of an error group, as forms send them."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _

from retry import service
from retry.admin.error_groups.forms import AcknowledgeForm, MuteForm, NoteForm, ProveForm
from retry.admin.shared.actor import get_actor
from retry.admin.shared.selection import SelectionRefused, parse_reason
from retry.models import Action, Operation

F = TypeVar("F", bound=forms.Form)


def act(verb: str, group_id: int, request: HttpRequest) -> Operation | None:
    """Call the verb with what was sent; return the operation that a proof has started.

    Raises ``SelectionRefused`` for a form that is not valid, and ``RetryError``.
    """
    return _VERBS[verb](group_id, request)


def list_verbs() -> list[str]:
    return list(_VERBS)


def _acknowledge(group_id: int, request: HttpRequest) -> None:
    form = _check(AcknowledgeForm(request, request.POST))
    owner = form.cleaned_data["owner"]
    service.acknowledge_group(group_id, owner=owner, **_by(request))


def _note(group_id: int, request: HttpRequest) -> None:
    form = _check(NoteForm(data=request.POST))
    service.note_group(group_id, text=form.cleaned_data["text"], actor=get_actor(request))


def _mute(group_id: int, request: HttpRequest) -> None:
    form = _check(MuteForm(request.POST))
    above = form.cleaned_data["above"]
    service.mute_group(group_id, until=form.find_end(), above=above, **_by(request))


def _unmute(group_id: int, request: HttpRequest) -> None:
    service.unmute_group(group_id, **_by(request))


def _resolve(group_id: int, request: HttpRequest) -> None:
    service.resolve_group(group_id, **_by(request))


def _reopen(group_id: int, request: HttpRequest) -> None:
    service.reopen_group(group_id, **_by(request))


def _prove(group_id: int, request: HttpRequest) -> Operation:
    sent = _check(ProveForm(request, request.POST)).cleaned_data
    return service.prove_group(
        group_id,
        action=Action(sent["action"]),
        canary_size=sent["canary_size"],
        rate_per_second=sent["rate_per_second"],
        **_by(request),
    )


_VERBS: dict[str, Callable[[int, HttpRequest], Operation | None]] = {
    "acknowledge": _acknowledge,
    "note": _note,
    "mute": _mute,
    "unmute": _unmute,
    "resolve": _resolve,
    "reopen": _reopen,
    "prove": _prove,
}


def _by(request: HttpRequest) -> dict[str, Any]:
    return {"actor": get_actor(request), "reason": parse_reason(request.POST)}


def _check(form: F) -> F:
    if form.is_valid():
        return form
    problems: dict[str, Any] = form.errors.get_json_data()
    name, found = next(iter(problems.items()))
    label = form.fields[name].label if name in form.fields else ""
    text = _("%(field)s: %(why)s Nothing was changed.")
    raise SelectionRefused(text % {"field": label, "why": found[0]["message"]})
