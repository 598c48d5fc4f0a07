"""Reading some items of a source again, for whoever wants them fresh."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from entries.errors import SourceError
from entries.models import Source
from entries.sources.base import Invalid, SourceItem
from entries.sources.items import checked
from entries.sources.sync.aliases import settle
from entries.sources.sync.calls import build_spec, calling

#: Items with aliases that are looked up together.
_TOGETHER = 500


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
        return kind.reads_one_by_one(build_spec(source))


def read_some(source: Source, external_ids: Collection[str]) -> Iterator[SourceItem | Unstorable]:
    """The items with these ids as the source has them now, fit to be stored; who does not come is
    not there. Raises ``SourceError`` for anything that goes wrong, also half-way.
    """
    if not source.enabled:
        raise SourceError("disabled", f"the source {source.slug} is disabled")
    left = set(external_ids)
    with calling(source) as kind:
        found = kind.read_some(build_spec(source), external_ids)
        for item in _settled(source.pk, found):
            # Of what comes twice under one id the first counts.
            if item.external_id in left:
                left.discard(item.external_id)
                yield _fit(item)


def _settled(
    source_id: int, found: Iterable[SourceItem | Invalid]
) -> Iterator[SourceItem | Invalid]:
    """Those with aliases some at a time, those without at once."""
    waiting: list[SourceItem] = []
    for item in found:
        if isinstance(item, SourceItem) and item.aliases:
            waiting.append(item)
            if len(waiting) == _TOGETHER:
                yield from settle(source_id, waiting)
                waiting = []
            continue
        if isinstance(item, Invalid) and waiting:
            yield from settle(source_id, waiting)
            waiting = []
        yield item
    yield from settle(source_id, waiting)


def _fit(item: SourceItem | Invalid) -> SourceItem | Unstorable:
    if isinstance(item, Invalid):
        return Unstorable(item.external_id, item.reason)
    kept = checked(item, item.external_id)
    if isinstance(kept, Invalid):
        return Unstorable(item.external_id, f"its source has it, but {kept.reason}")
    return kept
