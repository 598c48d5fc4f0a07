"""Repairs of entries in planned runs, and their undoing, in the transaction that starts them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from entries import storage, transitions
from entries.repairs import Repair
from entries.storage import ContentEdit, StoredContent
from retry.models import Operation, Run
from retry.reasons import Reason, reason_for

#: Payloads in memory at once. PostgreSQL waits while they are repaired, and only for some seconds.
CHUNK = 50


def repair(operation: Operation, run_of_entry: Mapping[int, UUID]) -> Iterator[tuple[int, Reason]]:
    """Repair entries and queue them in their runs; yield those left alone, with the reason.

    An entry is repaired and queued, or neither. What it held stays with its attempt.
    """
    change = Repair.build(operation.repair or {})
    ids = iter(sorted(run_of_entry))
    while chunk := list(islice(ids, CHUNK)):
        contents = storage.read_content(chunk, lock=True)
        missing = set(chunk).difference(content.id for content in contents)
        yield from ((id_, Reason.NOT_FOUND) for id_ in sorted(missing))
        edits = []
        for content in contents:
            judged = judge(content, change)
            if judged.edit is not None:
                edits.append(judged.edit)
            elif judged.reason is not None:
                yield content.id, judged.reason
        yield from _store_and_queue(edits, run_of_entry)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a repair makes of an entry: an ``edit``, or the ``reason`` why not, with ``words``."""

    edit: ContentEdit | None = None
    reason: Reason | None = None
    words: str = ""


def judge(content: StoredContent, change: Repair) -> Verdict:
    """Say what becomes of an entry; nothing is changed. Entries of other statuses stay alone."""
    why = reason_for(content.status, verb="repair")
    if why is not None:
        return Verdict(reason=why)
    repaired = change.apply(content.payload, kind=content.kind)
    if repaired.payload is None:
        reason = Reason(repaired.refusal or Reason.REPAIR_MISFIT)
        return Verdict(reason=reason, words=repaired.words)
    return Verdict(ContentEdit(content, content.title, repaired.payload))


def _store_and_queue(
    edits: Sequence[ContentEdit], run_of_entry: Mapping[int, UUID]
) -> Iterator[tuple[int, Reason]]:
    # They are locked since they were read, so all are written and all are queued.
    ids = sorted(storage.edit(edits)) if edits else []
    run_ids = [run_of_entry[id_] for id_ in ids]
    for left in transitions.queue(ids, verb="repair", run_ids=run_ids):
        yield left.id, reason_for(left.status, verb="repair") or Reason.CHANGED_SINCE


def undo(operation: Operation, run_of_entry: Mapping[int, UUID]) -> Iterator[tuple[int, Reason]]:
    """Undo the repairs of an operation where it was not changed since; yield the others.

    Statuses stay as they are.
    """
    repaired_by = UUID(operation.selection["repaired_by"])
    runs = list(Run.objects.filter(operation=repaired_by).values_list("id", flat=True))
    for id_, status in storage.undo(sorted(run_of_entry), run_ids=runs).items():
        yield id_, reason_for(status, verb="undo") or Reason.CHANGED_SINCE
