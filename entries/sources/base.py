"""What reads a source: one class per kind of source."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """What a source kind needs to know to read one source."""

    slug: str
    location: str
    options: Mapping[str, Any] = field(default_factory=dict)
    #: HTTP validators of the last successful sync; empty when there was none.
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One item as the source has it. Its id is unique in the source, 1 to 500 characters."""

    external_id: str
    title: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Invalid:
    """An item that the source itself could make nothing of; ``example`` says where one is."""

    reason: str
    example: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a source gave. ``items`` may be consumed once, and is never held as a whole.

    ``not_modified``: the source said that nothing changed; ``items`` is then empty.
    ``notes`` says in words what had to be left out, and why.
    """

    items: Iterator[SourceItem | Invalid]
    not_modified: bool = False
    etag: str = ""
    last_modified: str = ""
    total: int | None = None
    notes: tuple[str, ...] = ()


class SourceKind(ABC):
    """How sources of one kind are read.

    Subclass it in a module of ``entries.sources`` (or of any app listed in
    ``REDRIVE_KIND_MODULES``) and decorate it with ``@registry.register``.
    """

    #: Chosen by ``Source.kind``; lower-case letters, digits, ``_`` and ``-``; at most 50.
    name: ClassVar[str]
    #: One sentence for staff.
    description: ClassVar[str] = ""

    def problems_with(self, spec: SourceSpec) -> list[str]:
        """What is wrong with a source's location or options, in words, without reading it.

        Asked when a source is added or edited, so that a slip of the pen shows at once.
        """
        return []

    @abstractmethod
    def read(self, spec: SourceSpec) -> Reading:
        """Read the source as it is now.

        Raises ``entries.errors.SourceError`` when it cannot be reached or makes no sense, best
        before any item is handed out: nothing of the source has then been changed. ``items`` may
        raise it too, halfway: what came before is kept, and nothing counts as gone.
        """
