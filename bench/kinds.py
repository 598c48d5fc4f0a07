"""Kinds that do nothing, so that only Redrive itself is measured."""

from collections.abc import Mapping
from typing import Any

from entries.kinds.base import AttemptData, Breaker, EntryData, Kind
from entries.kinds.registry import register


@register
class Noop(Kind):
    name = "noop"
    description = "Succeeds at once."
    run_size = 500
    group_size = 500

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        return None


@register
class Slow(Kind):
    """What the simulated workers of ``bench.crowd`` have: they take the time, nothing is called."""

    name = "slow"
    description = "Takes as long as a measurement says."
    run_size = 2
    breaker = Breaker(window=5)

    def upstream(self, payload: Mapping[str, Any], *, source: str | None) -> str:
        return str(payload["host"])

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        return None
