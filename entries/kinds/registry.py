"""The kinds there are, by name."""

import importlib
import inspect
import math
import pkgutil
import re
from functools import cache
from typing import Any, TypeVar

from entries.errors import InvalidKind, UnknownKind
from entries.kinds.base import Breaker, Kind, RetryPolicy

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")
_LARGEST_RUN = 500
_LARGEST_WINDOW = 1000
K = TypeVar("K", bound=type[Kind])
_classes: dict[str, type[Kind]] = {}


def register(cls: K) -> K:
    """Class decorator. Raises ``InvalidKind`` at import, when it is cheap to notice."""
    problems = problems_of(cls)
    if problems:
        raise InvalidKind(f"{cls.__qualname__}: {'; '.join(problems)}")
    known = _classes.get(cls.name)
    if known is not None and place(known) != place(cls):
        raise InvalidKind(f"{place(cls)}: the name {cls.name!r} is taken by {place(known)}")
    _classes[cls.name] = cls
    instance_of.cache_clear()
    return cls


def place(cls: type) -> str:
    """Where a class is defined: a module that is imported again may replace its own."""
    return f"{cls.__module__}.{cls.__qualname__}"


def problems_of(cls: Any) -> list[str]:
    """What keeps ``cls`` from being a kind, in words; empty when nothing does."""
    if not (inspect.isclass(cls) and issubclass(cls, Kind)):
        return ["must be a subclass of entries.kinds.base.Kind"]
    found = name_problems(cls) + _method_problems(cls)
    if not _is_number(cls.time_limit) or cls.time_limit <= 0:
        found.append("time_limit must be more than 0 seconds")
    for attribute in ("run_size", "group_size"):
        if not _is_count(getattr(cls, attribute), low=1, high=_LARGEST_RUN):
            found.append(f"{attribute} must be 1 to {_LARGEST_RUN}")
    for attribute in ("queue", "bulk_queue"):
        if not isinstance(getattr(cls, attribute), str) or not getattr(cls, attribute):
            found.append(f"{attribute} must be the name of a queue")
    if not _is_count(cls.rescue_limit, low=0, high=100):
        found.append("rescue_limit must be 0 to 100")
    return found + _policy_problems(cls.retry_policy) + _breaker_problems(cls.breaker)


def name_problems(cls: type) -> list[str]:
    name = getattr(cls, "name", None)
    if isinstance(name, str) and _NAME.fullmatch(name):
        return []
    return ["name must be 1 to 50 of a-z, 0-9, _ and -, and begin with a letter or digit"]


def _policy_problems(policy: Any) -> list[str]:
    if not isinstance(policy, RetryPolicy):
        return ["retry_policy must be a RetryPolicy"]
    numbers = (policy.limit, policy.first_delay, policy.factor, policy.cap)
    if not all(_is_number(number) and number >= 0 for number in numbers):
        return ["retry_policy must have no negative numbers"]
    if not all(_is_exception(error) for error in policy.on):
        return ["retry_policy.on must name exception classes"]
    return []


def _method_problems(cls: type[Kind]) -> list[str]:
    found = []
    if inspect.isabstract(cls):
        found.append("process() is missing")
    elif not _needs_no_arguments(cls):
        found.append("must be made without arguments: there is one instance per process")
    if not inspect.isfunction(cls.upstream):
        found.append("upstream must be a method")
    return found


def _breaker_problems(breaker: Any) -> list[str]:
    if breaker is None:
        return []
    if not isinstance(breaker, Breaker):
        return ["breaker must be a Breaker or None"]
    found = []
    if not _is_count(breaker.window, low=2, high=_LARGEST_WINDOW):
        found.append(f"breaker.window must be 2 to {_LARGEST_WINDOW}")
    if not _is_number(breaker.share) or not 0 < breaker.share <= 1:
        found.append("breaker.share must be more than 0, and 1 at the most")
    if not all(_is_number(n) and n > 0 for n in (breaker.first_probe, breaker.cap)):
        found.append("breaker.first_probe and breaker.cap must be more than 0 seconds")
    if not _is_number(breaker.factor) or breaker.factor < 1:
        found.append("breaker.factor must be 1 or more")
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_count(value: object, *, low: int, high: int) -> bool:
    return isinstance(value, int) and low <= value <= high


def _is_exception(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


def _needs_no_arguments(cls: type[Kind]) -> bool:
    try:
        inspect.signature(cls).bind()
    except TypeError:
        return False
    return True


def load(package: str = "entries.kinds") -> None:
    """Import every module of ``package`` so that its kinds register themselves."""
    import_modules(package)


def import_modules(package: str) -> None:
    """Import ``package`` and each module in and below it. Raises what they raise when imported."""
    root = importlib.import_module(package)
    for found in pkgutil.iter_modules(getattr(root, "__path__", ())):
        import_modules(f"{package}.{found.name}")


def get(name: str) -> Kind:
    """The kind called ``name``, the same instance each time. Raises ``UnknownKind``."""
    return instance_of(name)


def names() -> list[str]:
    return sorted(_classes)


def all_kinds() -> dict[str, type[Kind]]:
    return dict(sorted(_classes.items()))


@cache
def instance_of(name: str) -> Kind:
    cls = _classes.get(name)
    if cls is None:
        known = ", ".join(names()) or "none"
        raise UnknownKind(f"no kind is registered as {name!r}; registered: {known}")
    return cls()
