"""What every item of every source must keep to before it becomes an entry."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator

from entries.sources.base import Invalid, SourceItem
from entries.sources.ids import MAX_ID, stored_id
from entries.text import NotJSON, NotStorable, clean_json, clean_text

MAX_TITLE = 500
MAX_PAYLOAD_BYTES = 256 * 1024


class Sieve:
    """Hands on items that can be stored, each id once (the first counts), and counts the others.

    One sieve sees the whole source: an id is a duplicate however far apart the two are.
    """

    def __init__(self) -> None:
        # A digest is small and of one size; ids are neither, and a source may have a million.
        self._seen: set[bytes] = set()
        self._left_out: Counter[str] = Counter()

    def pass_on(self, items: Iterable[SourceItem | Invalid]) -> Iterator[SourceItem]:
        for item in items:
            kept = item.reason if isinstance(item, Invalid) else self._examined(item)
            if isinstance(kept, str):
                self.leave_out(kept)
            else:
                yield kept

    def leave_out(self, reason: str) -> None:
        """Count an item that the source itself could make nothing of."""
        self._left_out[reason] += 1

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out, in words."""
        return tuple(
            f"{count:,} {'item' if count == 1 else 'items'} left out: {reason}"
            for reason, count in sorted(self._left_out.items())
        )

    def _examined(self, item: SourceItem) -> SourceItem | str:
        external_id = stored_id(item.external_id)
        if not external_id.strip():
            return "without an id"
        if len(external_id) > MAX_ID:
            return f"the id is longer than {MAX_ID} characters"
        digest = hashlib.blake2b(external_id.encode(), digest_size=16).digest()
        if digest in self._seen:
            return "the id was there before; the first one counts"
        try:
            payload = clean_json(item.payload, max_bytes=MAX_PAYLOAD_BYTES)
        except (NotJSON, NotStorable) as error:
            return f"the payload cannot be stored: {error}"
        if not isinstance(payload, dict):
            return "the payload is not a JSON object"
        self._seen.add(digest)
        return SourceItem(external_id, clean_text(item.title, limit=MAX_TITLE), payload)
