"""The rules for items of all sources, checked before they become entries."""

from entries.sources.base import Invalid, SourceItem
from entries.sources.ids import MAX_ID, clean_id
from entries.text import NotJSON, NotStorable, clean_json, clean_text, scrub

MAX_TITLE = 500
MAX_PAYLOAD_BYTES = 256 * 1024
#: Different reasons that are counted; a hostile source has one for each item.
MAX_REASONS = 50
_OTHER_REASONS = "for other reasons"
AGAIN = "the id is repeated; the first item counts"


def check_id(item: SourceItem) -> str | Invalid:
    """Return the item's id as it is stored, or why it has none."""
    external_id = clean_id(item.external_id)
    if not external_id.strip():
        return Invalid("without an id")
    if len(external_id) > MAX_ID:
        # No entry has an id that long.
        return Invalid(f"the id is longer than {MAX_ID} characters", external_id=external_id)
    return external_id


def check_item(item: SourceItem, external_id: str) -> SourceItem | Invalid:
    """Return the item as it is stored, under its checked id, or why it cannot be."""
    try:
        payload = clean_json(item.payload, max_bytes=MAX_PAYLOAD_BYTES)
    except (NotJSON, NotStorable) as error:
        return Invalid(f"the payload cannot be stored: {error}")
    if not isinstance(payload, dict):
        return Invalid("the payload is not a JSON object")
    title = clean_text(item.title, limit=MAX_TITLE)
    return SourceItem(external_id, title, payload, item.aliases, item.failure)


class InvalidCounts:
    """Counts invalid items by reason, each with its first example; bounded."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._examples: dict[str, str] = {}
        self.total = 0

    def add(self, invalid: Invalid, *, count: int = 1) -> None:
        reason = clean_text(scrub(invalid.reason[:1_000]), limit=300) or _OTHER_REASONS
        if reason not in self._counts and len(self._counts) >= MAX_REASONS:
            reason = _OTHER_REASONS
        elif invalid.example:
            example = clean_text(scrub(invalid.example[:1_000]), limit=100)
            self._examples.setdefault(reason, example)
        self._counts[reason] = self._counts.get(reason, 0) + count
        self.total += count

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences such as ``3 items left out: without an id, such as line 17``."""
        return tuple(
            f"{count:,} {'item' if count == 1 else 'items'} left out: {reason}"
            + (f", such as {self._examples[reason]}" if reason in self._examples else "")
            for reason, count in sorted(self._counts.items())
        )
