"""Imports in words."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from retry.models import Import
from retry.reasons import Reason

#: What an import found, in the order in which it is told.
IMPORTED = {
    "created": "new",
    "updated": "changed",
    "unchanged": "unchanged",
    "left_alone": "left alone",
    "invalid": "with errors",
}
_STORED = {"created": "created", "updated": "changed", "unchanged": "unchanged"}


def title_of(row: Import) -> str:
    return f"{'Dry run' if row.dry_run else 'Import'} of {row.file_name}"


def outcome_of(row: Import) -> Iterator[str]:
    """``1,000 created, 3 changed, 20 unchanged; 1,003 queued.``, and what was left alone or out."""
    counts = Counter({name: getattr(row, name) for name in IMPORTED})
    parts = [f"{counts[name]:,} {said}" for name, said in _STORED.items() if counts[name]]
    queued = f"{row.queued:,} queued" if row.queued else "nothing was queued"
    yield f"{', '.join(parts) or 'Nothing was stored'}; {queued}."
    if row.left_alone:
        reasons = sorted((Reason(name).words, count) for name, count in row.reasons.items())
        said = ", ".join(f"{count:,} {words}" for words, count in reasons)
        yield f"{row.left_alone:,} left alone: {said}."
    if row.invalid:
        they = "it" if row.invalid == 1 else "they"
        yield f"{row.invalid:,} left out, because {they} cannot be stored."


def fate_of(shown: Mapping[str, Any], *, dry_run: bool) -> str:
    """What becomes of one row of a sample."""
    reason = shown["reason"]
    match shown["what"]:
        case "new":
            return "New; would be queued"
        case "changed":
            return "Changed; is queued already" if reason else "Changed; would be queued"
        case "alone":
            return f"Left alone: {Reason(reason).words}"
        case _:
            return "Cannot be stored" if dry_run else "Left out"
