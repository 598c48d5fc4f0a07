"""The two steps of an import: a dry run compares the rows of a file, then they are stored."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from django.db import transaction

from entries.errors import SourceError
from entries.storage import find_known
from retry import audit
from retry.access.visibility import hidden_external_ids
from retry.imports.batches import Batch, Rejection, collect_batches
from retry.imports.preview import Sample, predict_fate
from retry.imports.seen_ids import SeenIds
from retry.imports.tables import Survey, open_table
from retry.intakes import rows
from retry.intakes.claims import Lost, Stopped
from retry.models import Import
from retry.outcomes import Actor
from retry.reasons import Reason
from retry.sentences import COLUMNS_IGNORED, FILE_WITHOUT_ROWS
from retry.submission import Effect, find_problems, submit_patches

_COUNT_NAMES = {
    Effect.CREATED: "created",
    Effect.UPDATED: "updated",
    Effect.UNCHANGED: "unchanged",
    Effect.LEFT_ALONE: "left_alone",
}
COUNTS = ("created", "updated", "unchanged", "left_alone", "invalid", "queued")


class Step(ABC):
    """Reads a file from the row's position to its end."""

    def __init__(self, row: Import, *, actor: Actor, stop: Callable[[], bool]) -> None:
        self.row = row
        self.actor = actor
        self._stop = stop
        self.counts = Counter({name: getattr(row, name) for name in COUNTS})
        self.reasons = Counter(row.reasons)
        self.sample = Sample(row.sample)

    def run(self) -> None:
        """Take all batches. Raises ``SourceError``, ``Stopped`` and ``Lost``."""
        row = self.row
        with ExitStack() as stack:
            seen = stack.enter_context(SeenIds.begin()) if row.dry_run or row.skip_invalid else None
            table = stack.enter_context(open_table(row.location, row.file_format))
            for batch in collect_batches(
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
                raise SourceError("empty", FILE_WITHOUT_ROWS())
            self.end([*row.notes, *table.notes])

    @abstractmethod
    def take(self, batch: Batch) -> None: ...

    @abstractmethod
    def end(self, notes: list[str]) -> None: ...

    def leave_out(self, rejections: Iterable[Rejection]) -> None:
        for rejection in rejections:
            self.counts["invalid"] += 1
            self.sample.add_rejection(rejection)

    def advance(self, batch: Batch) -> None:
        """Write the position behind ``batch``, in the transaction that stored it.

        Raises ``Lost`` where another worker has moved the position, or the row is not running.
        """
        here = rows.select_running(self.row).filter(position=self.row.position)
        position = self.row.position + batch.rows
        if not here.update(position=position, **self._collect_fields()):
            raise Lost(f"import {self.row.pk} is not this worker's any more")
        self.row.position = position
        self.sample.is_new = False

    def succeed(self, notes: list[str]) -> None:
        """Raise ``Lost`` where the row is not running any more."""
        row = self.row
        if not rows.succeed(row, notes=notes, total=row.position, **self._collect_fields()):
            raise Lost(f"import {row.pk} is not this worker's any more")

    def _collect_fields(self) -> dict[str, Any]:
        fields = {**self.counts, "reasons": dict(self.reasons)}
        # It is large and soon full: it is not written again with each batch.
        return fields | {"sample": self.sample.rows} if self.sample.is_new else fields


class DryRunStep(Step):
    """Compares rows with the entries as they are now; locks and changes nothing."""

    def run(self) -> None:
        survey = Survey(self.row.location, self.row.file_format)
        self.row.has_payload = survey.has_payload
        rows.write(self.row, total=survey.total, has_payload=survey.has_payload)
        if survey.ignored:
            names = ", ".join(survey.ignored)
            self.row.notes = [COLUMNS_IGNORED(names=names)]
        super().run()

    def take(self, batch: Batch) -> None:
        self.leave_out(batch.rejections)
        ids, source_id = list(batch.patches), self.row.source_id
        known = find_known(source_id=source_id, external_ids=ids)
        hidden = hidden_external_ids(ids, source_id=source_id, actor=self.actor)
        for external_id, patch in batch.patches.items():
            line = batch.lines[external_id]
            if external_id in hidden:
                self._leave_alone(line, external_id, Reason.NOT_FOUND)
                continue
            entry = known.get(external_id)
            item = patch.apply(entry)
            if entry is not None and (problems := find_problems(item)):
                self.leave_out([Rejection.from_problems(line, external_id, problems)])
                continue
            fate = predict_fate(item, entry, kind=self.row.kind)
            self.counts[_COUNT_NAMES[fate.effect]] += 1
            self.counts["queued"] += fate.reason is None
            if fate.effect is Effect.LEFT_ALONE and fate.reason is not None:
                self.reasons[fate.reason.value] += 1
            self.sample.add(line, item, entry, fate)
        self.advance(batch)

    def _leave_alone(self, line: int, external_id: str, reason: Reason) -> None:
        """Count an entry that the actor may not see: the import would not touch it."""
        self.counts[_COUNT_NAMES[Effect.LEFT_ALONE]] += 1
        self.reasons[reason.value] += 1
        self.sample.add_alone(line, external_id, reason.value)

    def end(self, notes: list[str]) -> None:
        self.succeed(notes)


class StoreStep(Step):
    """Stores batch by batch, each in a transaction of its own together with the position."""

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
            self.leave_out([*batch.rejections, *_reject(batch, problems)])
            for item in outcome.items:
                self.counts[_COUNT_NAMES[item.effect]] += 1
                self.counts["queued"] += item.queued
                if item.effect is Effect.LEFT_ALONE and item.reason is not None:
                    self.reasons[item.reason.value] += 1
                    line = batch.lines[item.external_id]
                    self.sample.add_alone(line, item.external_id, item.reason.value)
            self.advance(batch)

    def end(self, notes: list[str]) -> None:
        row = self.row
        with transaction.atomic():
            self.succeed(notes)
            audit.record(
                "import",
                actor=self.actor,
                count=self.counts["created"] + self.counts["updated"],
                reason=row.reason,
                source_id=row.source_id,
                after={"import_id": str(row.pk), **self.counts},
            )


def _reject(batch: Batch, problems: Mapping[str, Mapping[str, str]]) -> Iterable[Rejection]:
    for external_id, wrong in problems.items():
        yield Rejection.from_problems(batch.lines[external_id], external_id, wrong)
