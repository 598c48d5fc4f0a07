"""Rows below a header, as in CSV and spreadsheets; pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from entries.errors import SourceError
from entries.sources.base import Invalid, SourceItem
from entries.sources.files import FileOptions
from entries.sources.ids import id_text

_EMPTY = ("", None)


@dataclass(frozen=True, slots=True)
class Columns:
    """The names in a header, and which of them name an entry."""

    names: tuple[str, ...]
    id_field: str
    title_field: str

    @classmethod
    def of(cls, header: Sequence[object], options: FileOptions) -> Self:
        """Raises ``SourceError`` with ``malformed``."""
        names = ["" if name is None else str(name).strip() for name in header]
        while names and not names[-1]:
            names.pop()
        for number, name in enumerate(names, 1):
            if not name:
                raise SourceError("malformed", f"column {number} of the header has no name")
        name, count = Counter(names).most_common(1)[0] if names else ("", 0)
        if count > 1:
            raise SourceError("malformed", f'{count} columns are called "{name[:100]}"')
        for name in (options.id_field, options.title_field):
            if name not in names and (name == options.id_field or not _is_default_title(options)):
                there = ", ".join(names)[:300] or "none"
                raise SourceError(
                    "malformed", f'there is no column "{name}"; the header has: {there}'
                )
        return cls(tuple(names), options.id_field, options.title_field)

    def item(self, cells: Sequence[Any], where: str) -> SourceItem | Invalid:
        """A row as an item; without a title the id stands in."""
        if len(cells) < len(self.names):
            return Invalid("fewer cells than columns", where)
        if any(cell not in _EMPTY for cell in cells[len(self.names) :]):
            return Invalid("more cells than columns", where)
        payload: Mapping[str, Any] = dict(zip(self.names, cells, strict=False))
        external_id = id_text(payload[self.id_field])
        if not external_id.strip():
            return Invalid("without an id", where)
        return SourceItem(
            external_id, id_text(payload.get(self.title_field)) or external_id, payload
        )


def _is_default_title(options: FileOptions) -> bool:
    """A title that nobody asked for may be missing."""
    return options.title_field == "title"
