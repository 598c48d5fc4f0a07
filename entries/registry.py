"""Classes by name, with one instance of each in a process."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from entries.errors import EntriesError, InvalidKind

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
#: The tag of what commands check before they run. They serve no pages, and Django's own checks
#: would import those.
WORK = "work"

T = TypeVar("T")
C = TypeVar("C", bound=type)


class Registry(Generic[T]):
    """The subclasses of ``base`` that registered themselves.

    ``noun`` is what messages call one of them. ``package`` has the built-in ones. ``unknown``
    is raised for a name that no class has. ``find_problems`` returns, in words, which rules of
    ``base`` a class breaks, beyond its name.
    """

    def __init__(
        self,
        base: type[T],
        *,
        noun: str,
        package: str,
        unknown: type[EntriesError],
        find_problems: Callable[[Any], list[str]],
    ) -> None:
        self.noun = noun
        self._base = base
        self._package = package
        self._unknown = unknown
        self._find_own_problems = find_problems
        self._classes: dict[str, type[T]] = {}
        self._instances: dict[str, T] = {}

    def register(self, cls: C) -> C:
        """Register ``cls`` under its name; a class decorator.

        Raises ``InvalidKind`` at import, where a mistake is cheap to notice. A module that is
        imported again may replace its own class.
        """
        problems = self.find_problems(cls)
        if problems:
            raise InvalidKind(f"{cls.__qualname__}: {'; '.join(problems)}")
        name = cls.name  # type: ignore[attr-defined] # every base has one
        known = self._classes.get(name)
        if known is not None and _place(known) != _place(cls):
            raise InvalidKind(f"{_place(cls)}: the name {name!r} is taken by {_place(known)}")
        self._classes[name] = cls
        self._instances.pop(name, None)
        return cls

    def find_problems(self, cls: Any) -> list[str]:
        """Return what keeps ``cls`` from being registered, in words; empty when nothing does."""
        if not (inspect.isclass(cls) and issubclass(cls, self._base)):
            return [f"must be a subclass of {_place(self._base)}"]
        return _find_name_problems(cls) + self._find_own_problems(cls)

    def get(self, name: str) -> T:
        """Return the instance called ``name``, the same each time.

        Raises the registry's error for an unknown name, whose message lists the known ones.
        """
        if name not in self._instances:
            cls = self._classes.get(name)
            if cls is None:
                known = ", ".join(self.names()) or "none"
                raise self._unknown(
                    f"no {self.noun} is registered as {name!r}; registered: {known}"
                )
            self._instances[name] = cls()
        return self._instances[name]

    def find(self, name: str) -> T | None:
        """Do the same as ``get``; None for an unknown name."""
        return self.get(name) if name in self._classes else None

    def names(self) -> list[str]:
        return sorted(self._classes)

    def classes(self) -> dict[str, type[T]]:
        return dict(sorted(self._classes.items()))

    def problems(self) -> Iterator[tuple[str, type[T], str]]:
        """Yield name, class and problem of each class that was changed after it registered."""
        for name, cls in self.classes().items():
            for problem in self.find_problems(cls):
                yield name, cls, problem

    def load(self) -> None:
        """Import every module of the registry's package, so that its classes register."""
        import_modules(self._package, nested=True)


def import_modules(package: str, *, nested: bool = False) -> None:
    """Import ``package`` and each module in it; with ``nested`` also those in its packages.

    Raises what they raise when imported.
    """
    root = importlib.import_module(package)
    for found in pkgutil.iter_modules(getattr(root, "__path__", ())):
        name = f"{package}.{found.name}"
        if nested and found.ispkg:
            import_modules(name, nested=True)
        else:
            importlib.import_module(name)


def _find_name_problems(cls: type) -> list[str]:
    name = getattr(cls, "name", None)
    if isinstance(name, str) and _NAME.fullmatch(name):
        return []
    return ["name must be 1 to 50 of a-z, 0-9, _ and -, and begin with a letter or digit"]


def _place(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"
