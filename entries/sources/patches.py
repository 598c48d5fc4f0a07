"""Changes to an entry that one row of a file asks for; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from entries.sources.base import SourceItem


class Content(Protocol):
    """What a stored entry holds."""

    @property
    def title(self) -> str: ...
    @property
    def payload(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Patch:
    """What is None leaves a stored entry as it is.

    ``payload`` replaces all of it, ``members`` only those members. ``blanks`` are members whose
    cells are empty: they leave a stored entry as it is, and a new entry gets them.
    """

    external_id: str
    title: str | None = None
    payload: Any = None
    members: Mapping[str, Any] = field(default_factory=dict)
    blanks: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, known: Content | None) -> SourceItem:
        """Return the whole entry as it will be; ``known`` is None for a new one."""
        if known is None:
            payload = {**self.blanks, **self.members} if self.payload is None else self.payload
            return SourceItem(self.external_id, self.title or "", payload)
        title = known.title if self.title is None else self.title
        payload = known.payload if self.payload is None else self.payload
        if self.members and isinstance(payload, dict):
            payload = {**payload, **self.members}
        return SourceItem(self.external_id, title, payload)
