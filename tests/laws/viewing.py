"""Saved views, for the laws about verbs."""

from collections.abc import Callable

from entries.filters import EntryFilter
from entries.states import EntryStatus
from retry import service
from retry.models import SavedView
from retry.outcomes import Actor

_FAILED = EntryFilter(status=EntryStatus.FAILED)
Act = Callable[[Actor], object]


def _saved() -> SavedView:
    return service.save_view("Failed", _FAILED, actor=Actor.command("before"))


def save_view() -> Act:
    return lambda actor: service.save_view("Failed", _FAILED, actor=actor)


def rename_view() -> Act:
    view = _saved()
    return lambda actor: service.rename_view(view.pk, "Broken", actor=actor)


def delete_view() -> Act:
    view = _saved()
    return lambda actor: service.delete_view(view.pk, actor=actor)
