"""The verdict on a scenario, from the ledger and the product's own records.

lost: recorded as succeeded, but no execution ended. doubled: two executions of one attempt, or two
at the same time. stuck: still queued or running. unexplained: executions without an attempt, or
repeats of an entry of which no attempt was lost. miscounted: by how many the counts by status
differ from the entries.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from entries.lists import count_by_status
from entries.models import EVERYTHING, Attempt, Entry
from faults.ledger import Execution, Ledger


@dataclass(frozen=True, slots=True)
class Verdict:
    entries: int
    executions: int
    lost: int
    doubled: int
    stuck: int
    unexplained: int
    miscounted: int

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.stuck or self.unexplained or self.miscounted)


def judge(ledger: Ledger, *, guilty: Collection[int] = ()) -> Verdict:
    """Compare both; ``guilty`` entries cause their own repeats or missing ends."""
    entries = dict(Entry.objects.values_list("pk", "status"))
    attempts = Counter(Attempt.objects.exclude(started_at=None).values_list("entry_id", flat=True))
    lost_attempts = Counter(
        Attempt.objects.filter(status="lost").values_list("entry_id", flat=True)
    )
    resting = {"succeeded", "failed", "scheduled", "discarded", "pending"}
    stuck = [pk for pk, status in entries.items() if status not in resting]
    lost = [
        pk
        for pk, status in entries.items()
        if status == "succeeded" and not any(e.ended for e in ledger.by_entry.get(pk, ()))
    ]
    doubled = [pk for pk, executions in ledger.by_entry.items() if _is_doubled(executions)]
    unexplained = [
        pk
        for pk, executions in ledger.by_entry.items()
        if pk not in guilty
        and (len(executions) > attempts[pk] or len(executions) > 1 + lost_attempts[pk])
    ]
    return Verdict(
        entries=len(entries),
        executions=ledger.count(),
        lost=len(lost),
        doubled=len(doubled),
        stuck=len(stuck),
        unexplained=len(unexplained),
        miscounted=_count_differences(entries),
    )


def _count_differences(entries: Mapping[int, str]) -> int:
    shown, there = Counter(count_by_status(EVERYTHING)), Counter(entries.values())
    return (shown - there).total() + (there - shown).total()


def _is_doubled(executions: list[Execution]) -> bool:
    """Tell whether one attempt was executed twice, or two executions overlap."""
    if max(Counter(e.attempt for e in executions).values()) > 1:
        return True
    ordered = sorted(executions, key=lambda each: each.began)
    return any(
        before.ended is not None and before.ended > after.began
        for before, after in pairwise(ordered)
    )
