"""Automatic retries of one function."""

from collections.abc import Callable
from typing import Any, TypeVar

from entries.kinds.base import RetryPolicy

_NAME = "redrive_retry_policy"

T = TypeVar("T")


def automatic_retries(
    limit: int,
    *,
    first_delay: float = 30.0,
    factor: float = 4.0,
    cap: float = 3600.0,
    on: tuple[type[BaseException], ...] = (Exception,),
) -> Callable[[T], T]:
    """Decorate the function of a task, above or below ``@task``: retry it up to ``limit`` times.

    Delays are in seconds; they and ``on`` are those of ``RetryPolicy``. Without it the setting
    ``REDRIVE_TASK_AUTOMATIC_RETRIES`` counts.
    """
    policy = RetryPolicy(limit, first_delay, factor, cap, on)

    def decorate(decorated: T) -> T:
        setattr(getattr(decorated, "func", decorated), _NAME, policy)
        return decorated

    return decorate


def find_policy(func: Callable[..., Any]) -> RetryPolicy | None:
    """Return the policy that a function was decorated with; None without one."""
    policy = getattr(func, _NAME, None)
    return policy if isinstance(policy, RetryPolicy) else None
