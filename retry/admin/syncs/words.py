"""Sentences about syncs."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from entries.admin import display
from retry.admin.intakes.words import describe_wait
from retry.admin.shared.bar import describe_counts
from retry.admin.shared.messages import PENDING, Message, warn_redis_away
from retry.models import Sync, SyncState

#: What a sync found, in the order in which it is shown.
SYNCED: Mapping[str, Promise] = {
    "created": gettext_lazy("new"),
    "updated": gettext_lazy("changed"),
    "unchanged": gettext_lazy("unchanged"),
    "gone": gettext_lazy("gone"),
    "invalid": gettext_lazy("invalid"),
}
#: The same for a dry run.
WOULD: Mapping[str, Promise] = {
    "created": gettext_lazy("would be new"),
    "updated": gettext_lazy("would change"),
    "unchanged": gettext_lazy("would not change"),
    "gone": gettext_lazy("would be gone"),
    "invalid": gettext_lazy("invalid"),
}
#: For a sync, and for a dry run.
_STATES = {
    SyncState.RUNNING: (
        gettext_lazy("The source is being read."),
        gettext_lazy("The source is being compared. Nothing is changed."),
    ),
    SyncState.FAILED: (
        gettext_lazy("What was stored before the error is kept. Sync again for the rest."),
        gettext_lazy("Nothing was changed."),
    ),
    SyncState.SUCCEEDED: (
        gettext_lazy("Done."),
        gettext_lazy("Nothing was changed. This is what a sync would have done."),
    ),
}


def get_title(sync: Sync) -> str:
    text = _("Dry run of %(source)s") if sync.dry_run else _("Sync of %(source)s")
    return text % {"source": sync.source}


def get_labels(sync: Sync) -> Mapping[str, Promise]:
    return WOULD if sync.dry_run else SYNCED


def get_counts(sync: Sync) -> dict[str, int]:
    return {name: int(getattr(sync, name)) for name in SYNCED}


def describe_found(sync: Sync) -> str:
    """``3 new, 1 gone``"""
    if sync.not_modified:
        return _("not modified")
    return describe_counts(get_counts(sync), get_labels(sync)) or display.NOTHING


def describe_request(sync: Sync, slug: str) -> Iterable[Message]:
    """Of a sync that was just requested, or was already under way."""
    if sync.state == SyncState.RUNNING:
        text = (
            _("Dry run of %(source)s is already running.")
            if sync.dry_run
            else _("Sync of %(source)s is already running.")
        )
        yield Message(PENDING, text % {"source": slug})
        return
    text = (
        _("Dry run of %(source)s requested. It starts when a worker is free.")
        if sync.dry_run
        else _("Sync of %(source)s requested. It starts when a worker is free.")
    )
    yield Message(PENDING, text % {"source": slug})
    if not sync.dispatched:
        yield warn_redis_away(one=True)


def describe_state(sync: Sync) -> str:
    if sync.state == SyncState.QUEUED:
        return describe_wait(sync)
    if sync.state == SyncState.SUCCEEDED and sync.not_modified:
        return _("The source reports no changes since the last sync.")
    real, dry = _STATES[SyncState(sync.state)]
    return str(dry if sync.dry_run else real)
