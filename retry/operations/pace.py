"""How an operation proceeds: when it starts, how fast, and what goes first."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from entries.phrases import phrase

#: A canary without a limit of its own tolerates this share of failures.
DEFAULT_FAILURE_RATE = 0.1
MOST_STEPS = 10
LARGEST_STEP = 100_000
_REST = re.compile(r"[,\s]*\brest\s*$", re.IGNORECASE)
_STEP = re.compile(r"[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``rate_per_second``: entries started, None without a limit. ``canary_size`` entries run
    first, then each step of the ``ramp``, then the rest; each only if at most ``max_failure_rate``
    (0 to 1) of those before it failed. The limit also holds over the last outcomes while the rest
    runs. Nothing starts before ``start_at``.
    """

    rate_per_second: float | None = None
    canary_size: int = 0
    max_failure_rate: float | None = None
    ramp: tuple[int, ...] = ()
    start_at: datetime | None = None

    @property
    def steps(self) -> tuple[int, ...]:
        """The sizes of what goes before the rest, the canary first."""
        return (self.canary_size, *self.ramp) if self.canary_size else self.ramp

    @property
    def failure_limit(self) -> float | None:
        if self.max_failure_rate is None and self.steps:
            return DEFAULT_FAILURE_RATE
        return self.max_failure_rate

    def identity(self) -> dict[str, Any]:
        """Return it JSON-safe, and equal for paces that mean the same. What was added later is
        left out where it is not given, so that older requests keep their identity.
        """
        told: dict[str, Any] = {
            "rate_per_second": self.rate_per_second,
            "canary_size": self.canary_size,
            "max_failure_rate": self.max_failure_rate,
        }
        if self.ramp:
            told["ramp"] = list(self.ramp)
        if self.start_at is not None:
            told["start_at"] = self.start_at.isoformat()
        return told


def parse_ramp(text: str) -> tuple[int, ...]:
    """Parse ``10, 100, 1,000, rest``. Raises ``ValueError`` with what is wrong.

    Without spaces each comma separates; with spaces one may stand within a number.
    """
    plain = _REST.sub("", text.strip())
    parts = re.split(r",?\s+|,$" if re.search(r"\s", text.strip()) else ",", plain)
    steps = [part for part in parts if part]
    if not all(_STEP.fullmatch(part) for part in steps):
        raise ValueError(phrase("write the steps like 10, 100, 1000, rest"))
    return check_ramp(tuple(int(part.replace(",", "")) for part in steps))


def check_ramp(steps: tuple[int, ...]) -> tuple[int, ...]:
    """Return ``steps``. Raises ``ValueError`` with what is wrong."""
    if len(steps) > MOST_STEPS:
        raise ValueError(phrase("a ramp has at most %(count)s steps", count=MOST_STEPS))
    if not all(1 <= step <= LARGEST_STEP for step in steps):
        raise ValueError(phrase("a step has 1 to %(count)s entries", count=LARGEST_STEP))
    return steps
