"""Sentences about imports."""

from collections.abc import Iterator, Mapping
from typing import Any

from entries.admin import display
from retry.admin.intakes.words import describe_wait
from retry.models import Import, SyncState
from retry.reasons import Reason

#: What an import found, in the order in which it is shown.
IMPORTED = {
    "created": "new",
    "updated": "changed",
    "unchanged": "unchanged",
    "left_alone": "left alone",
    "invalid": "with errors",
}
_STORED = {"created": "created", "updated": "changed", "unchanged": "unchanged"}


def get_title(row: Import) -> str:
    return f"{'Dry run' if row.dry_run else 'Import'} of {row.file_name}"


def get_counts(row: Import) -> dict[str, int]:
    return {name: int(getattr(row, name)) for name in IMPORTED}


def describe_found(row: Import) -> str:
    """``3 new, 1 with errors``"""
    words = [f"{count:,} {IMPORTED[name]}" for name, count in get_counts(row).items() if count]
    return ", ".join(words) or display.NOTHING


def describe_outcome(row: Import) -> Iterator[str]:
    """``1,000 created, 3 changed, 20 unchanged. 1,003 queued.``, then what was not stored."""
    counts = get_counts(row)
    parts = [f"{counts[name]:,} {word}" for name, word in _STORED.items() if counts[name]]
    queued = f"{row.queued:,} queued" if row.queued else "Nothing was queued"
    yield f"{', '.join(parts) or 'Nothing was stored'}. {queued}."
    if row.left_alone:
        reasons = sorted((Reason(name).words, count) for name, count in row.reasons.items())
        words = ", ".join(f"{count:,} {reason}" for reason, count in reasons)
        yield f"{row.left_alone:,} left alone: {words}."
    if row.invalid:
        they = "it" if row.invalid == 1 else "they"
        yield f"{row.invalid:,} left out, because {they} cannot be stored."


def describe_row(shown: Mapping[str, Any], *, dry_run: bool) -> str:
    """Say what happens to one row of the sample."""
    reason = shown["reason"]
    match shown["what"]:
        case "new":
            return "New; would be queued"
        case "changed":
            return "Changed; already queued" if reason else "Changed; would be queued"
        case "alone":
            return f"Left alone: {Reason(reason).words}"
        case _:
            return "Cannot be stored" if dry_run else "Left out"


def describe_state(row: Import) -> Iterator[str]:
    """Describe the state; a dry run that succeeded has a template of its own."""
    match row.state:
        case SyncState.QUEUED:
            yield describe_wait(row)
        case SyncState.RUNNING if row.dry_run:
            yield "The file is being compared. Nothing is stored."
        case SyncState.RUNNING:
            yield "The file is being imported. You can leave this page."
        case SyncState.FAILED if row.dry_run:
            yield "Nothing was stored. Correct the file and choose it again."
        case SyncState.FAILED:
            yield "What was stored before the error is kept."
        case SyncState.SUCCEEDED if not row.dry_run:
            yield from describe_outcome(row)
