"""Reading some items of a source again, for whoever wants them fresh."""

from collections.abc import Collection, Iterator

from entries.errors import SourceError, UnknownSourceKind
from entries.models import Source
from entries.sources import registry
from entries.sources.base import SourceItem, SourceKind, SourceSpec
from entries.sources.items import Sieve
from entries.text import describe_error


def one_by_one(source: Source) -> bool:
    """The source is asked for each item: asking for more than is wanted costs something."""
    try:
        kind = registry.get(source.kind)
    except UnknownSourceKind:
        return False
    return type(kind).read_some is not SourceKind.read_some


def read_some(source: Source, external_ids: Collection[str]) -> Iterator[SourceItem]:
    """The items with these ids as the source has them now, fit to be stored; who does not come is
    not there.

    Raises ``SourceError`` for anything that goes wrong, also half-way. An item that cannot be
    stored is an error, too: it is there, so it must not pass for gone.
    """
    if not source.enabled:
        raise SourceError("disabled", f"the source {source.slug} is disabled")
    spec = SourceSpec(source.slug, source.location, source.options)
    try:
        for item in registry.get(source.kind).read_some(spec, external_ids):
            yield _storable(item)
    except UnknownSourceKind as error:
        raise SourceError("unknown_kind", str(error)) from error
    except SourceError:
        raise
    except Exception as error:
        info = describe_error(error)
        message = f"the source kind {source.kind} broke with {info.error_class}: {info.message}"
        raise SourceError("broken_kind", message) from error


def _storable(item: SourceItem) -> SourceItem:
    sieve = Sieve()
    for kept in sieve.pass_on([item]):
        return kept
    raise SourceError("invalid_item", f"of {item.external_id[:100]}: {'; '.join(sieve.notes)}")
