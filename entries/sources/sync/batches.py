"""Items of a source, checked and grouped into batches that are stored at once; pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from entries.sources.base import Invalid, Note, SourceItem
from entries.sources.ids import clean_id
from entries.sources.items import AGAIN, check_id, check_item

BATCH = 1_000
#: A thousand of the largest payloads would be a quarter of a gigabyte.
MAX_CHARACTERS = 8_000_000


@dataclass(slots=True)
class Batch:
    """``items`` by id; what cannot be stored is ``invalid``, with its id if that is known."""

    items: dict[str, SourceItem] = field(default_factory=dict)
    invalid: list[Invalid] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    @property
    def unstorable(self) -> list[str]:
        """Ids of items that the source has and that cannot be stored."""
        ids = (invalid.external_id for invalid in self.invalid if invalid.external_id)
        return [external_id for external_id in ids if external_id not in self.items]

    @property
    def whole(self) -> bool:
        """Whether the entry of each item that came is known."""
        identified = all(invalid.external_id for invalid in self.invalid)
        return identified and not any(note.partial for note in self.notes)


def collect_batches(items: Iterable[SourceItem | Invalid | Note]) -> Iterator[Batch]:
    """Yield batches of up to 1,000 items, fewer where these are large."""
    rest = iter(items)
    while True:
        batch, left = Batch(), MAX_CHARACTERS
        taken = 0
        for item in islice(rest, BATCH):
            taken += 1
            left -= _add(batch, item)
            if left <= 0:
                break
        if not taken:
            return
        yield batch


def _add(batch: Batch, item: SourceItem | Invalid | Note) -> int:
    """Add an item; return about how many characters it takes."""
    if isinstance(item, Note):
        batch.notes.append(item)
        return 0
    if isinstance(item, Invalid):
        known = clean_id(item.external_id)
        batch.invalid.append(replace(item, external_id=known if known.strip() else ""))
        return 0
    external_id = check_id(item)
    if isinstance(external_id, Invalid):
        batch.invalid.append(external_id)
        return 0
    if external_id in batch.items:
        batch.invalid.append(Invalid(AGAIN, external_id=external_id))
        return 0
    kept = check_item(item, external_id)
    if isinstance(kept, Invalid):
        # An item with aliases may be stored under another id than this.
        known = "" if item.aliases else external_id
        batch.invalid.append(replace(kept, external_id=known))
        return 0
    batch.items[external_id] = kept
    return estimate_size(kept.payload)


def estimate_size(value: object) -> int:
    """Return about how many characters a JSON value has, without serialising it."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(key) + estimate_size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(estimate_size, value)) + len(value)
    return 8
