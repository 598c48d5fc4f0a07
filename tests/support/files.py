"""Files for sources to read, in a folder that was opened for it."""

import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from entries.sources import registry
from entries.sources.base import Invalid, Note, Reading, SourceItem, SourceSpec


@dataclass(frozen=True, slots=True)
class Files:
    """``write`` and then ``read`` as one kind of source."""

    folder: Path
    kind: str

    def spec(self, content: bytes | str, options: dict[str, object]) -> SourceSpec:
        path = self.folder / f"{self.kind}.data"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return SourceSpec("rows", str(path), options)

    def read(self, content: bytes | str, **options: object) -> Reading:
        return registry.get(self.kind).read(self.spec(content, options))

    def rows(self, content: bytes | str, **options: object) -> list[SourceItem | Invalid]:
        reading = self.read(content, **options)
        rows = [row for row in reading.items if not isinstance(row, Note)]
        assert reading.total in {None, len(rows)}, "a total is exact or None"
        return rows


def peak_while(items: Iterator[object]) -> tuple[int, int]:
    """How many items came, and the most memory that was held meanwhile."""
    tracemalloc.start()
    try:
        count = sum(1 for _ in items)
        return count, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
