"""A kind that does nothing, so that only Redrive itself is measured."""

from collections.abc import Mapping
from typing import Any

from entries.kinds.base import AttemptData, EntryData, Kind
from entries.kinds.registry import register


@register
class Noop(Kind):
    name = "noop"
    description = "Succeeds at once."
    run_size = 500
    group_size = 500

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        return None
