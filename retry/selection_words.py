"""The selection of an operation in words, of a request and as it was stored."""

from uuid import UUID

from entries.filters import EntryFilter
from entries.phrases import Phrase, nphrase, phrase
from retry.models import Operation


def describe_stored(operation: Operation) -> str:
    """Return the stored words, as a phrase where this version would still word it so."""
    data = operation.selection
    try:
        words = describe(
            filter=EntryFilter.from_data(data["filter"]) if "filter" in data else None,
            failed_of=data.get("failed_of"),
            repaired_by=data.get("repaired_by"),
            count=data.get("ids", 0),
        )
    except (TypeError, ValueError):
        return operation.selection_words
    return words if words == operation.selection_words else operation.selection_words


def describe(
    *,
    filter: EntryFilter | None,  # noqa: A002 - as the selection calls it
    failed_of: UUID | str | None,
    repaired_by: UUID | str | None,
    count: int,
) -> Phrase:
    """Return ``status failed, source news``, or ``12 selected entries``."""
    if failed_of is not None:
        earlier = {"operation": str(failed_of)}
        if filter is None:
            return phrase("what failed in operation %(operation)s", **earlier)
        return phrase(
            "what failed in operation %(operation)s, %(filter)s", filter=filter.words(), **earlier
        )
    if repaired_by is not None:
        return phrase("what operation %(operation)s repaired", operation=str(repaired_by))
    if filter is not None:
        return filter.words()
    return nphrase("%(count)s selected entry", "%(count)s selected entries", count)
