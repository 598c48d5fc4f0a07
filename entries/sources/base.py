"""The base class of kinds of source, and the values that they hand out."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, ClassVar

from entries.errors import SourceError
from entries.sources.ids import clean_id
from entries.text import ErrorInfo


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """All that a kind of source needs to read one source."""

    slug: str
    location: str
    options: Mapping[str, Any] = field(default_factory=dict)
    #: HTTP validators of the last successful sync; empty without one.
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class Alias:
    """Another id that an item may be stored under.

    The entry with that id is this item where its payload holds all the values of one of
    ``payloads``; without ``payloads`` it always is.
    """

    external_id: str
    payloads: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """That the work has been tried elsewhere and has failed; times are None where not known."""

    error: ErrorInfo
    queued_at: datetime | None = None
    started_at: datetime | None = None
    failed_at: datetime | None = None
    worker: str = ""


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One item as the source has it. Its id is unique in the source, 1 to 500 characters.

    Where no entry has that id, the first of ``aliases`` that an entry has counts instead. An own id
    that is also among the aliases counts in that place and under that condition; where another
    item's entry has it, the item is stored under the first alias that no entry has.

    With a ``failure`` a new entry is failed from the start, and is not queued; a known one
    keeps its content.
    """

    external_id: str
    title: str
    payload: Mapping[str, Any]
    aliases: tuple[Alias, ...] = ()
    failure: Failure | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        """All ids that it may be stored under, cleaned."""
        return tuple(map(clean_id, (self.external_id, *(a.external_id for a in self.aliases))))


@dataclass(frozen=True, slots=True)
class Invalid:
    """A row that the kind of source could not turn into an item.

    Counted by ``reason``, so keep reasons few and free of numbers ("without an id"). ``example``
    says where such a row is ("line 17"). ``external_id`` is its id where at least that could be
    read: its entry then does not count as gone. Without it the row could belong to any entry, so
    the reading is not whole and nothing counts as gone.
    """

    reason: str
    example: str = ""
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on a reading that arises while the items are read.

    ``partial``: some of the source could not be read, so nothing counts as gone.
    """

    text: str
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a source. ``items`` can be iterated once.

    A reading is whole unless it has a ``partial`` note or an ``Invalid`` without an id. Only a
    whole reading makes entries gone, and only its validators are stored.

    ``items`` may raise ``SourceError`` half-way where the rest of the source cannot be read: what
    came before is stored, and nothing counts as gone.
    ``total`` is exact, or None where it is not known beforehand.
    ``not_modified``: the source said that nothing changed; ``items`` is then empty.
    ``notes`` say in sentences what had to be left out, and why.
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
        """Return what is wrong with a source's location or options, in words, without reading it.

        Called when a source is added or edited, so that mistakes show at once.
        """
        return []

    @abstractmethod
    def read(self, spec: SourceSpec) -> Reading:
        """Read the source as it is now.

        Raises ``entries.errors.SourceError`` when it cannot be reached or makes no sense, before
        any item is handed out: no entry has then been changed.
        """

    def reads_one_by_one(self, spec: SourceSpec) -> bool:
        """Say whether ``read_some`` requests each item from the source separately.

        Return True where you override it that way: Redrive then requests no more than it needs.
        """
        return False

    def read_some(
        self, spec: SourceSpec, external_ids: Collection[str]
    ) -> Iterator[SourceItem | Invalid]:
        """Yield the items with these ids as they are now, each once; others count as gone.

        The ids are as stored. Items are raw: a payload may be impossible to store, and an item with
        aliases is yielded where one of them was requested. An ``Invalid`` with one of the ids keeps
        its entry from counting as gone. ``SourceError``, raised at once or half-way, does so for
        all that were not yielded.

        The default reads the whole source, without validators, until it has them all. Override it
        where single items can be requested.
        """
        wanted = set(external_ids)
        if not wanted:
            return
        reading = self.read(replace(spec, etag="", last_modified=""))
        if reading.not_modified:
            raise SourceError(
                "not_modified",
                "the source says that it has not changed, without conditions",
            )
        yield from _pick(reading.items, wanted)


#: The reason for an item that did not come in a reading that is not whole.
NOT_SEEN = "not all of its source could be read, and it was not in the rest"


def _pick(
    items: Iterator[SourceItem | Invalid | Note], wanted: set[str]
) -> Iterator[SourceItem | Invalid]:
    """Yield the wanted items, the first of each id, as in a sync."""
    whole = True
    for item in items:
        if isinstance(item, Note):
            whole = whole and not item.partial
            continue
        external_id = clean_id(item.external_id)
        if isinstance(item, Invalid) and not external_id.strip():
            whole = False
        if isinstance(item, SourceItem) and item.aliases:
            # Which of its ids counts is decided by the caller, so all stay wanted.
            if not wanted.isdisjoint(item.ids):
                yield item
        elif external_id in wanted:
            wanted.discard(external_id)
            yield replace(item, external_id=external_id)
            if not wanted:
                return
    if not whole:
        yield from (Invalid(NOT_SEEN, external_id=external_id) for external_id in sorted(wanted))
