"""The kinds of source, by name."""

import inspect

from entries.errors import UnknownSourceKind
from entries.registry import Registry
from entries.sources.base import SourceKind


def _find_problems(cls: type[SourceKind]) -> list[str]:
    return ["read() is missing"] if inspect.isabstract(cls) else []


SOURCE_KINDS: Registry[SourceKind] = Registry(
    SourceKind,  # type: ignore[type-abstract] # its subclasses are what is made
    noun="kind of source",
    package="entries.sources",
    unknown=UnknownSourceKind,
    find_problems=_find_problems,
)
# Call sites read ``registry.get(name)`` and ``@registry.register``.
register = SOURCE_KINDS.register
get = SOURCE_KINDS.get
names = SOURCE_KINDS.names
all_kinds = SOURCE_KINDS.classes
