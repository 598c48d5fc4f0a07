"""What one row of a file says of an entry, which need not be all of it; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from entries.sources.base import SourceItem


class Content(Protocol):
    """What a known entry holds."""

    @property
    def title(self) -> str: ...
    @property
    def payload(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Patch:
    """What is None is not said, and stays as it is known.

    ``payload``: all of it. ``members``: some of it; the others stay. ``blanks``: members whose
    cells are empty. Those say nothing of a known entry; a new one gets them as they stand.
    """

    external_id: str
    title: str | None = None
    payload: Any = None
    members: Mapping[str, Any] = field(default_factory=dict)
    blanks: Mapping[str, Any] = field(default_factory=dict)

    def applied(self, known: Content | None) -> SourceItem:
        """The whole entry, as it will be."""
        if known is None:
            payload = {**self.blanks, **self.members} if self.payload is None else self.payload
            return SourceItem(self.external_id, self.title or "", payload)
        title = known.title if self.title is None else self.title
        payload = known.payload if self.payload is None else self.payload
        if self.members and isinstance(payload, dict):
            payload = {**payload, **self.members}
        return SourceItem(self.external_id, title, payload)
