"""Sentences about syncs."""

from collections.abc import Iterable

from entries.admin import display
from retry.admin.intakes.words import describe_wait
from retry.admin.shared.messages import PENDING, Message, warn_redis_away
from retry.models import Sync, SyncState

#: What a sync found, in the order in which it is shown.
SYNCED = {
    "created": "new",
    "updated": "changed",
    "unchanged": "unchanged",
    "gone": "gone",
    "invalid": "invalid",
}
#: The same for a dry run.
WOULD = {
    "created": "would be new",
    "updated": "would change",
    "unchanged": "would not change",
    "gone": "would be gone",
    "invalid": "invalid",
}
#: For a sync, and for a dry run.
_STATES = {
    SyncState.RUNNING: (
        "The source is being read.",
        "The source is being compared. Nothing is changed.",
    ),
    SyncState.FAILED: (
        "What was stored before the error is kept. Sync again for the rest.",
        "Nothing was changed.",
    ),
    SyncState.SUCCEEDED: (
        "Done.",
        "Nothing was changed. This is what a sync would have done.",
    ),
}


def get_title(sync: Sync) -> str:
    return f"{'Dry run' if sync.dry_run else 'Sync'} of {sync.source}"


def get_labels(sync: Sync) -> dict[str, str]:
    return WOULD if sync.dry_run else SYNCED


def get_counts(sync: Sync) -> dict[str, int]:
    return {name: int(getattr(sync, name)) for name in SYNCED}


def describe_found(sync: Sync) -> str:
    """``3 new, 1 gone``"""
    if sync.not_modified:
        return "not modified"
    labels = get_labels(sync)
    words = [f"{count:,} {labels[name]}" for name, count in get_counts(sync).items() if count]
    return ", ".join(words) or display.NOTHING


def describe_request(sync: Sync, slug: str) -> Iterable[Message]:
    """Of a sync that was just requested, or was already under way."""
    what = f"{'Dry run' if sync.dry_run else 'Sync'} of {slug}"
    if sync.state == SyncState.RUNNING:
        yield Message(PENDING, f"{what} is already running.")
        return
    yield Message(PENDING, f"{what} requested. It starts when a worker is free.")
    if not sync.dispatched:
        yield warn_redis_away(one=True)


def describe_state(sync: Sync) -> str:
    if sync.state == SyncState.QUEUED:
        return describe_wait(sync)
    if sync.state == SyncState.SUCCEEDED and sync.not_modified:
        return "The source reports no changes since the last sync."
    real, dry = _STATES[SyncState(sync.state)]
    return dry if sync.dry_run else real
