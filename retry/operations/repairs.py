"""What a repair would make of a selection: looked at, entry by entry, and nothing changed."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from entries import storage
from entries.budget import OutOfTime, time_budget
from entries.diffs import Diff, diff_json
from entries.phrases import Phrase
from entries.repairs import Repair
from entries.storage import StoredContent
from retry.access.permissions import CHANGE_ENTRY, RETRY_ENTRY, VIEW_PAYLOAD
from retry.operations.selection import Selection
from retry.outcomes import Actor
from retry.reasons import Reason
from retry.runs.repairs import judge

#: Entries that are shown with what would change, or with why not.
SAMPLE = 20
#: For the whole preview, and for finding the entries.
SECONDS, FIND_SECONDS = 4.0, 2.0
#: Entries that are looked at, and payloads in memory at once.
MOST, CHUNK = 100_000, 500


@dataclass(frozen=True, slots=True)
class RepairSample:
    """One entry. ``words``: why its payload cannot be repaired; empty where it can."""

    entry_id: int
    title: str
    diffs: Sequence[Diff] = ()
    words: str = ""


@dataclass(slots=True)
class RepairPreview:
    """Counts over the selection; with ``exact`` False over the first ``total`` of it."""

    total: int = 0
    repaired: int = 0
    skipped: Counter[Reason] = field(default_factory=Counter)
    exact: bool = True
    diffs: list[RepairSample] = field(default_factory=list)
    invalid: list[RepairSample] = field(default_factory=list)


def preview_repair(selection: Selection, repair: Repair, *, actor: Actor) -> RepairPreview:
    """Say what the repair would make of the selected entries that the actor may see.

    Raises ``NotPermitted`` for whom ``start_operation`` would refuse the repair, and as
    ``Selection.check`` does. Takes a few seconds at most; what was not looked at until then is not
    counted.
    """
    for permission in (CHANGE_ENTRY, RETRY_ENTRY, VIEW_PAYLOAD):
        actor.require(permission)
    selection.check(actor=actor)
    preview = RepairPreview()
    deadline = time.monotonic() + SECONDS
    with suppress(OutOfTime):
        for contents in _read(selection, actor=actor):
            for content in contents:
                _look_at(content, repair, preview)
            if time.monotonic() > deadline:
                break
        else:
            missing = len(set(selection.ids)) - preview.total if selection.ids else 0
            preview.total += missing
            preview.skipped += Counter({Reason.NOT_FOUND: missing})
            return preview
    preview.exact = False
    return preview


def _read(selection: Selection, *, actor: Actor) -> Iterator[Sequence[StoredContent]]:
    """Yield what the entries hold, a chunk at a time, in id order; of at most ``MOST`` entries.

    Raises ``OutOfTime``, also where there are more.
    """
    with time_budget(FIND_SECONDS):
        found = selection.find(actor=actor).order_by("pk").values_list("pk", flat=True)
        ids = list(found[: MOST + 1])
    for start in range(0, min(len(ids), MOST), CHUNK):
        yield storage.read_content(ids[start : start + CHUNK])
    if len(ids) > MOST:
        raise OutOfTime(f"looked at {MOST} only")


def _look_at(content: StoredContent, repair: Repair, preview: RepairPreview) -> None:
    preview.total += 1
    judged = judge(content, repair)
    if judged.edit is not None:
        preview.repaired += 1
        if len(preview.diffs) < SAMPLE:
            found = diff_json(content.payload, judged.edit.payload)
            preview.diffs.append(RepairSample(content.id, content.title, diffs=found))
        return
    preview.skipped[judged.reason or Reason.CHANGED_SINCE] += 1
    if judged.words and judged.reason is not Reason.UNCHANGED and len(preview.invalid) < SAMPLE:
        preview.invalid.append(RepairSample(content.id, content.title, words=judged.words))


def describe_skipped(preview: RepairPreview) -> Mapping[Phrase, int]:
    return {reason.words: count for reason, count in sorted(preview.skipped.items())}
