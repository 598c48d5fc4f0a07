"""A lookup of some items in their source, for a resync."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from entries.errors import SourceError
from entries.models import Source
from entries.sources.base import Invalid, SourceItem
from entries.sources.items import check_item
from entries.sources.sync.aliases import settle
from entries.sources.sync.calls import build_spec, open_kind

#: Items with aliases that are looked up together.
_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Unstorable:
    """An item that must not count as gone: it cannot be stored, or could not be read.

    ``reason`` is a sentence.
    """

    external_id: str
    reason: str


def reads_one_by_one(source: Source) -> bool:
    """Say whether the source is asked for each item, so that each costs a request.

    Raises ``SourceError``.
    """
    with open_kind(source) as kind:
        return kind.reads_one_by_one(build_spec(source))


def read_some(source: Source, external_ids: Collection[str]) -> Iterator[SourceItem | Unstorable]:
    """Yield the items with these ids as the source has them now, cleaned for storing.

    What is not yielded is not in the source. Raises ``SourceError``, also half-way.
    """
    if not source.enabled:
        raise SourceError("disabled", f"the source {source.slug} is disabled")
    left = set(external_ids)
    with open_kind(source) as kind:
        found = kind.read_some(build_spec(source), external_ids)
        for item in _settle(source.pk, found):
            # Where one id comes twice, the first item counts.
            if item.external_id in left:
                left.discard(item.external_id)
                yield _prepare(item)


def _settle(
    source_id: int, found: Iterable[SourceItem | Invalid]
) -> Iterator[SourceItem | Invalid]:
    """Settle the ids of items with aliases, some at a time; yield the others at once."""
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


def _prepare(item: SourceItem | Invalid) -> SourceItem | Unstorable:
    if isinstance(item, Invalid):
        return Unstorable(item.external_id, item.reason)
    kept = check_item(item, item.external_id)
    if isinstance(kept, Invalid):
        return Unstorable(item.external_id, f"its source has it, but {kept.reason}")
    return kept
