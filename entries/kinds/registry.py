"""The kinds, by name."""

import inspect
import math
from collections.abc import Mapping
from typing import Any

from entries.errors import UnknownKind
from entries.kinds.base import MAX_WINDOW, Breaker, Kind, RetryPolicy
from entries.registry import Registry

_LARGEST_RUN = 500
_MOST_AT_ONCE = 256


def _find_problems(cls: type[Kind]) -> list[str]:
    found = _find_method_problems(cls)
    if not _is_number(cls.time_limit) or cls.time_limit <= 0:
        found.append("time_limit must be more than 0 seconds")
    for attribute in ("run_size", "group_size"):
        if not _is_count(getattr(cls, attribute), low=1, high=_LARGEST_RUN):
            found.append(f"{attribute} must be 1 to {_LARGEST_RUN}")
    if not _is_count(cls.concurrency, low=1, high=_MOST_AT_ONCE):
        found.append(f"concurrency must be 1 to {_MOST_AT_ONCE}")
    per_upstream = cls.upstream_concurrency
    if per_upstream is not None and not _is_count(per_upstream, low=1, high=_MOST_AT_ONCE):
        found.append(f"upstream_concurrency must be 1 to {_MOST_AT_ONCE}, or None")
    for attribute in ("queue", "bulk_queue"):
        if not isinstance(getattr(cls, attribute), str) or not getattr(cls, attribute):
            found.append(f"{attribute} must be the name of a queue")
    if not _is_count(cls.rescue_limit, low=0, high=100):
        found.append("rescue_limit must be 0 to 100")
    if not _are_repairs(cls.repairs):
        found.append("repairs must map names of at most 50 characters to functions")
    return found + _find_policy_problems(cls.retry_policy) + _find_breaker_problems(cls.breaker)


def _find_policy_problems(policy: Any) -> list[str]:
    if not isinstance(policy, RetryPolicy):
        return ["retry_policy must be a RetryPolicy"]
    numbers = (policy.limit, policy.first_delay, policy.factor, policy.cap)
    if not all(_is_number(number) and number >= 0 for number in numbers):
        return ["retry_policy must have no negative numbers"]
    if not all(_is_exception(error) for error in policy.on):
        return ["retry_policy.on must name exception classes"]
    return []


def _find_method_problems(cls: type[Kind]) -> list[str]:
    found = []
    if inspect.isabstract(cls):
        found.append("process() is missing")
    elif inspect.iscoroutinefunction(cls.process):
        found.append("process() must not be async: set concurrency to process several at once")
    elif not _needs_no_arguments(cls):
        found.append("must be made without arguments: there is one instance per process")
    methods = ("upstream", "problems_with", "find_retry_policy")
    wrong = (name for name in methods if not inspect.isfunction(getattr(cls, name)))
    return found + [f"{name} must be a method" for name in wrong]


def _find_breaker_problems(breaker: Any) -> list[str]:
    if breaker is None:
        return []
    if not isinstance(breaker, Breaker):
        return ["breaker must be a Breaker or None"]
    found = []
    if not _is_count(breaker.window, low=2, high=MAX_WINDOW):
        found.append(f"breaker.window must be 2 to {MAX_WINDOW}")
    if not _is_number(breaker.share) or not 0 < breaker.share <= 1:
        found.append("breaker.share must be more than 0 and at most 1")
    if not all(_is_number(n) and n > 0 for n in (breaker.first_probe, breaker.cap)):
        found.append("breaker.first_probe and breaker.cap must be more than 0 seconds")
    if not _is_number(breaker.factor) or breaker.factor < 1:
        found.append("breaker.factor must be 1 or more")
    return found


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _is_count(value: object, *, low: int, high: int) -> bool:
    return isinstance(value, int) and low <= value <= high


def _are_repairs(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str) and 0 < len(name) <= 50 and callable(repair)
        for name, repair in value.items()
    )


def _is_exception(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


def _needs_no_arguments(cls: type[Kind]) -> bool:
    try:
        inspect.signature(cls).bind()
    except TypeError:
        return False
    return True


KINDS: Registry[Kind] = Registry(
    Kind,  # type: ignore[type-abstract] # its subclasses are what is made
    noun="kind",
    package="entries.kinds",
    unknown=UnknownKind,
    find_problems=_find_problems,
)
# Call sites read ``registry.get(name)`` and ``@registry.register``.
register = KINDS.register
get = KINDS.get
find = KINDS.find
names = KINDS.names
all_kinds = KINDS.classes
