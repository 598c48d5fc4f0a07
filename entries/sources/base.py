"""What reads a source: one class per kind of source."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from entries.errors import SourceError
from entries.sources.ids import stored_id


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
class Alias:
    """Another id that an item may be stored under.

    What is stored under it is this item where its payload has all the values of one of
    ``payloads``, or whatever it has where there are none.
    """

    external_id: str
    payloads: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One item as the source has it. Its id is unique in the source, 1 to 500 characters.

    Where no entry has that id, the first of ``aliases`` that an entry has counts instead. An item
    whose own id is among the aliases has it on that condition and in that order only; where it is
    somebody else's, the item is stored under the first alias that is nobody's.
    """

    external_id: str
    title: str
    payload: Mapping[str, Any]
    aliases: tuple[Alias, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """All that it may be stored under, as they are stored."""
        return tuple(map(stored_id, (self.external_id, *(a.external_id for a in self.aliases))))


@dataclass(frozen=True, slots=True)
class Invalid:
    """A row of which the source kind could make no item.

    Counted by ``reason``, so keep reasons few and free of numbers ("without an id"). ``example``
    says where such a row is ("line 17"). ``external_id`` is its id, where at least that could be
    read: then its entry is known to be there. Without it nobody can tell whose row it was, so the
    reading is not whole and nothing counts as gone.
    """

    reason: str
    example: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to say about a reading that shows only while it is read.

    ``partial``: some of the source could not be read, so nothing counts as gone.
    """

    text: str
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading a source gave. ``items`` may be consumed once.

    A reading is whole unless it says otherwise, by a ``partial`` note or an ``Invalid`` without
    an id. Only a whole reading makes entries gone, and only its validators are kept.

    ``items`` may raise ``SourceError`` half-way, where the rest of the source cannot be read: what
    came before it counts, and what did not come is not known to be gone.
    ``total`` is exact, or None where it cannot be known beforehand.
    ``not_modified``: the source said that nothing changed; ``items`` is then empty.
    ``notes`` says in words what had to be left out, and why.
    """

    items: Iterator[SourceItem | Invalid | Note]
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
    #: Whether a location may be ``upload:…``, so that staff can upload what is to be read.
    reads_files: ClassVar[bool] = False

    def problems_with(self, spec: SourceSpec) -> list[str]:
        """What is wrong with a source's location or options, in words, without reading it.

        Asked when a source is added or edited, so that a slip of the pen shows at once.
        """
        return []

    @abstractmethod
    def read(self, spec: SourceSpec) -> Reading:
        """Read the source as it is now.

        Raises ``entries.errors.SourceError`` when it cannot be reached or makes no sense, before
        any item is handed out: nothing of the source has then been changed.
        """

    def reads_one_by_one(self, spec: SourceSpec) -> bool:
        """Whether ``read_some`` asks the source for each item by itself, so that asking for more
        than is needed costs something. Say so where you override it that way.
        """
        return False

    def read_some(
        self, spec: SourceSpec, external_ids: Collection[str]
    ) -> Iterator[SourceItem | Invalid]:
        """The items with these ids as they are now, each once; who does not come is gone.

        The ids are as stored. What comes is raw: it may hold a payload that cannot be stored, and
        an item with aliases comes where one of them was asked for. An
        ``Invalid`` with one of these ids says that this one cannot be known to be gone.
        Raises ``SourceError`` where that cannot be known, at once or while it is read; none of
        those that did not come is then known to be gone. This one reads the whole source without
        validators, until it has them all; override it where the source can be asked for one item.
        """
        wanted = set(external_ids)
        if not wanted:
            return
        reading = self.read(replace(spec, etag="", last_modified=""))
        if reading.not_modified:
            raise SourceError("not_modified", "the source says it has not changed, unasked")
        yield from _found(reading.items, wanted)


#: Of an item that was asked for and did not come, in a reading that is not whole.
NOT_SEEN = "not all of its source could be read, and it was not in the rest"


def _found(
    items: Iterator[SourceItem | Invalid | Note], wanted: set[str]
) -> Iterator[SourceItem | Invalid]:
    """The first of each id, as in a sync."""
    whole = True
    for item in items:
        if isinstance(item, Note):
            whole = whole and not item.partial
            continue
        external_id = stored_id(item.external_id)
        if isinstance(item, Invalid) and not external_id.strip():
            whole = False
        if isinstance(item, SourceItem) and item.aliases:
            # Which of its ids counts is for others to find out, so none of them is done with.
            if not wanted.isdisjoint(item.ids):
                yield item
        elif external_id in wanted:
            wanted.discard(external_id)
            yield replace(item, external_id=external_id)
            if not wanted:
                return
    if not whole:
        yield from (Invalid(NOT_SEEN, external_id=external_id) for external_id in sorted(wanted))
