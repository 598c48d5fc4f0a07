"""The two ways through a file: one compares its rows, the other stores them."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from entries.errors import SourceError
from entries.storage import find_known
from retry import audit
from retry.access.visibility import hidden_external_ids
from retry.imports.batches import Batch, Refused, batches
from retry.imports.duplicates import Seen
from retry.imports.foreseen import Sample, fate_of
from retry.imports.tables import Survey, open_table
from retry.models import Import, SyncState
from retry.outcomes import Actor
from retry.reasons import Reason
from retry.submission import Effect, find_problems, submit_patches
from retry.syncs import rows

_COUNTED = {
    Effect.CREATED: "created",
    Effect.UPDATED: "updated",
    Effect.UNCHANGED: "unchanged",
    Effect.LEFT_ALONE: "left_alone",
}
COUNTS = ("created", "updated", "unchanged", "left_alone", "invalid", "queued")


class Stopped(Exception):
    """The process was asked to go."""


class Lost(Exception):
    """Somebody else took this process for dead."""


class Pass(ABC):
    """From the row's position to the end of the file."""

    def __init__(self, row: Import, *, actor: Actor, stop: Callable[[], bool]) -> None:
        self.row = row
        self.actor = actor
        self._stop = stop
        self.counts = Counter({name: getattr(row, name) for name in COUNTS})
        self.reasons = Counter(row.reasons)
        self.sample = Sample(row.sample)

    def run(self) -> None:
        """Raises ``SourceError``, ``Stopped`` and ``Lost``."""
        row = self.row
        with ExitStack() as stack:
            seen = stack.enter_context(Seen.begin()) if row.dry_run or row.skip_invalid else None
            table = stack.enter_context(open_table(row.location, row.file_format))
            for batch in batches(
                table,
                start=row.position,
                file_format=row.file_format,
                has_payload=row.has_payload,
                seen=seen,
            ):
                self.take(batch)
                if self._stop():
                    raise Stopped
            if not row.position:
                raise SourceError("empty", "there are no rows in the file")
            self.end([*row.notes, *table.notes])

    @abstractmethod
    def take(self, batch: Batch) -> None: ...

    @abstractmethod
    def end(self, notes: list[str]) -> None: ...

    def leave_out(self, refused: Iterable[Refused]) -> None:
        for one in refused:
            self.counts["invalid"] += 1
            self.sample.add_refused(one)

    def advance(self, batch: Batch) -> None:
        """Raises ``Lost``."""
        position = self.row.position + batch.rows
        if not rows.advance(self.row, position=position, **self._found()):
            raise Lost(f"import {self.row.pk} is not this worker's any more")
        self.row.position = position
        self.sample.is_new = False

    def ended(self, notes: list[str]) -> None:
        row = self.row
        done = {"state": SyncState.SUCCEEDED, "ended_at": Now(), "total": row.position}
        if not rows.write(row, **done, **self._found(), notes=rows.cleaned(notes)):
            raise Lost(f"import {row.pk} is not this worker's any more")

    def _found(self) -> dict[str, Any]:
        found = {**self.counts, "reasons": dict(self.reasons)}
        # It is full soon, and large: not to be written again with each batch.
        return found | {"sample": self.sample.rows} if self.sample.is_new else found


class DryRun(Pass):
    """Compares, as things stand; nothing is locked."""

    def run(self) -> None:
        survey = Survey(self.row.location, self.row.file_format)
        self.row.has_payload = survey.has_payload
        rows.write(self.row, total=survey.total, has_payload=survey.has_payload)
        if survey.ignored:
            names = ", ".join(survey.ignored)
            self.row.notes = [f"Not looked at, because there is a column payload: {names}"]
        super().run()

    def take(self, batch: Batch) -> None:
        self.leave_out(batch.refused)
        ids, source_id = list(batch.patches), self.row.source_id
        known = find_known(source_id=source_id, external_ids=ids)
        hidden = hidden_external_ids(ids, source_id=source_id, actor=self.actor)
        for external_id, patch in batch.patches.items():
            line = batch.lines[external_id]
            if external_id in hidden:
                self._leave_alone(line, external_id, Reason.NOT_FOUND)
                continue
            entry = known.get(external_id)
            item = patch.applied(entry)
            if entry is not None and (problems := find_problems(item)):
                self.leave_out([Refused.because(line, external_id, problems)])
                continue
            fate = fate_of(item, entry, kind=self.row.kind)
            self.counts[_COUNTED[fate.effect]] += 1
            self.counts["queued"] += fate.reason is None
            if fate.effect is Effect.LEFT_ALONE and fate.reason is not None:
                self.reasons[fate.reason.value] += 1
            self.sample.add(line, item, entry, fate)
        self.advance(batch)

    def _leave_alone(self, line: int, external_id: str, reason: Reason) -> None:
        """What it would do to an entry that whoever imports may not see: nothing."""
        self.counts[_COUNTED[Effect.LEFT_ALONE]] += 1
        self.reasons[reason.value] += 1
        self.sample.add_alone(line, external_id, reason.value)

    def end(self, notes: list[str]) -> None:
        self.ended(notes)


class Storing(Pass):
    """Stores, batch by batch: each a transaction of its own, with how far it is."""

    def take(self, batch: Batch) -> None:
        row = self.row
        with transaction.atomic():
            outcome, problems = submit_patches(
                list(batch.patches.values()),
                kind=row.kind,
                source=row.source.slug if row.source else None,
                actor=self.actor,
                reason=row.reason,
            )
            self.leave_out([*batch.refused, *_refused(batch, problems)])
            for item in outcome.items:
                self.counts[_COUNTED[item.effect]] += 1
                self.counts["queued"] += item.queued
                if item.effect is Effect.LEFT_ALONE and item.reason is not None:
                    self.reasons[item.reason.value] += 1
                    line = batch.lines[item.external_id]
                    self.sample.add_alone(line, item.external_id, item.reason.value)
            self.advance(batch)

    def end(self, notes: list[str]) -> None:
        row = self.row
        with transaction.atomic():
            self.ended(notes)
            audit.record(
                "import",
                actor=self.actor,
                count=self.counts["created"] + self.counts["updated"],
                reason=row.reason,
                source_id=row.source_id,
                after={"import_id": str(row.pk), **self.counts},
            )


def _refused(batch: Batch, problems: Mapping[str, Mapping[str, str]]) -> Iterable[Refused]:
    for external_id, wrong in problems.items():
        yield Refused.because(batch.lines[external_id], external_id, wrong)
