"""A source of the test kind ``shelf``, its entries, and a worker in this process."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from entries.models import Entry, Source
from retry.models import Run
from retry.worker import execution
from tests.factories.entries import EntryFactory, SourceFactory


class Shop:
    """A source of the kind ``shelf``, and what was read of it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.source: Source = SourceFactory.create(
            kind="shelf", location=str(file), entry_kind="telling"
        )

    def has(self, **items: Mapping[str, Any]) -> None:
        self.file.write_text(json.dumps(items))

    @property
    def readings(self) -> int:
        return len(self.file.with_suffix(".readings").read_text().splitlines())

    def entry(self, external_id: str = "a", **values: Any) -> Entry:
        given: dict[str, Any] = {
            "succeeded": True,
            "title": external_id,
            "payload": {"page": "old"},
            **values,
        }
        return EntryFactory.create(
            source=self.source, kind="telling", external_id=external_id, **given
        )


def work(linger: float = 0.0) -> None:
    """Execute every queued run, oldest first."""
    while run := Run.objects.filter(state="queued").order_by("created_at", "position").first():
        assert execution.execute(run.pk, worker=f"test:{uuid4().hex}", linger=linger)
