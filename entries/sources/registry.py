"""The kinds of source there are, by name."""

import inspect
from functools import cache
from typing import Any, TypeVar

from entries.errors import InvalidKind, UnknownSourceKind
from entries.kinds.registry import import_modules, name_problems, place
from entries.sources.base import SourceKind

S = TypeVar("S", bound=type[SourceKind])
_classes: dict[str, type[SourceKind]] = {}


def register(cls: S) -> S:
    """Class decorator. Raises ``InvalidKind`` at import, when it is cheap to notice."""
    problems = problems_of(cls)
    if problems:
        raise InvalidKind(f"{cls.__qualname__}: {'; '.join(problems)}")
    known = _classes.get(cls.name)
    if known is not None and place(known) != place(cls):
        raise InvalidKind(f"{place(cls)}: the name {cls.name!r} is taken by {place(known)}")
    _classes[cls.name] = cls
    _instance_of.cache_clear()
    return cls


def problems_of(cls: Any) -> list[str]:
    """What keeps ``cls`` from being a kind of source, in words; empty when nothing does."""
    if not (inspect.isclass(cls) and issubclass(cls, SourceKind)):
        return ["must be a subclass of entries.sources.base.SourceKind"]
    found = name_problems(cls)
    if inspect.isabstract(cls):
        found.append("read() is missing")
    return found


def load(package: str = "entries.sources") -> None:
    """Import every module of ``package`` so that its kinds of source register themselves."""
    import_modules(package)


def get(name: str) -> SourceKind:
    """The kind of source called ``name``. Raises ``UnknownSourceKind``."""
    return _instance_of(name)


def names() -> list[str]:
    return sorted(_classes)


def all_kinds() -> dict[str, type[SourceKind]]:
    return dict(sorted(_classes.items()))


@cache
def _instance_of(name: str) -> SourceKind:
    cls = _classes.get(name)
    if cls is None:
        known = ", ".join(names()) or "none"
        raise UnknownSourceKind(f"no kind of source is registered as {name!r}; registered: {known}")
    return cls()
