"""Calling a source kind: what it needs to know, and its mistakes told from its source's."""

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
def calling(source: Source) -> Iterator[SourceKind]:
    """The kind of ``source``. Whatever it raises within comes out as ``SourceError``: its own as
    they are, a mistake of the kind's as ``broken_kind``, so that staff see that the source is not
    to blame.
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
        message = f"the source kind {source.kind} broke with {info.error_class}: {info.message}"
        raise SourceError("broken_kind", message) from error
