"""Reading some items of a source again, for whoever wants them fresh."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from entries.errors import SourceError
from entries.models import Source
from entries.sources.base import Invalid, SourceItem
from entries.sources.calling import calling, spec_of
from entries.sources.items import checked


@dataclass(frozen=True, slots=True)
class Unstorable:
    """An item that cannot be stored, or may have been among what could not be read: it must not
    pass for gone. ``reason`` is a sentence.
    """

    external_id: str
    reason: str


def one_by_one(source: Source) -> bool:
    """The source is asked for each item: asking for more than is wanted costs something.

    Raises ``SourceError``.
    """
    with calling(source) as kind:
        return kind.reads_one_by_one(spec_of(source))


def read_some(source: Source, external_ids: Collection[str]) -> Iterator[SourceItem | Unstorable]:
    """The items with these ids as the source has them now, fit to be stored; who does not come is
    not there. Raises ``SourceError`` for anything that goes wrong, also half-way.
    """
    if not source.enabled:
        raise SourceError("disabled", f"the source {source.slug} is disabled")
    with calling(source) as kind:
        for item in kind.read_some(spec_of(source), external_ids):
            if isinstance(item, Invalid):
                yield Unstorable(item.external_id, item.reason)
                continue
            kept = checked(item, item.external_id)
            if isinstance(kept, Invalid):
                words = f"its source has it, but {kept.reason}"
                yield Unstorable(item.external_id, words)
            else:
                yield kept
