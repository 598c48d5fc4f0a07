"""Calls of a kind of source, with its own mistakes told apart from those of its source."""

from collections.abc import Iterator
from contextlib import contextmanager

from entries.errors import SourceError, UnknownSourceKind
from entries.models import Source
from entries.sources import registry
from entries.sources.base import SourceKind, SourceSpec
from entries.text import describe_error


def build_spec(source: Source) -> SourceSpec:
    return SourceSpec(
        slug=source.slug,
        location=source.location,
        options=source.options,
        etag=source.etag,
        last_modified=source.last_modified,
    )


@contextmanager
def open_kind(source: Source) -> Iterator[SourceKind]:
    """Yield the kind of ``source`` for the block. Raises nothing but ``SourceError``.

    A ``SourceError`` of the kind comes out as it is, any other exception as ``broken_kind``: staff
    then see that the source is not to blame.
    """
    if not isinstance(source.options, dict):
        raise SourceError("invalid_options", "the options must be a JSON object")
    try:
        kind = registry.get(source.kind)
    except UnknownSourceKind as error:
        raise SourceError("unknown_kind", str(error)) from error
    try:
        yield kind
    except SourceError:
        raise
    except Exception as error:
        info = describe_error(error)
        message = f"the source kind {source.kind} failed with {info.error_class}: {info.message}"
        raise SourceError("broken_kind", message) from error
