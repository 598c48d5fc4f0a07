"""The states of an entry and the moves between them; pure.

``TRANSITIONS`` is the only place where the moves are written down. ``entries.transitions`` reads
its guards from it, the diagram in ``docs/states.md`` is generated from it, and tests hold the three
together.
"""

from dataclasses import dataclass
from enum import StrEnum


class EntryStatus(StrEnum):
    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    SCHEDULED = "scheduled"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DISCARDED = "discarded"


class AttemptStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    CANCELLED = "cancelled"
    #: Its source had nothing new, and only what is new was to be processed.
    UNCHANGED = "unchanged"


class Change(StrEnum):
    """What a resync found when it fetched the entry from its source."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    #: Its source does not have it any more.
    GONE = "gone"


#: An entry in one of these has a run: it is waiting for a worker or with one.
ACTIVE = frozenset({EntryStatus.QUEUED, EntryStatus.RUNNING})
RESTING = frozenset(EntryStatus) - ACTIVE
#: New content that is pushed is stored into these. A running one would not see it, and what was
#: discarded is nobody's business any more; both can be pushed again later.
STORED_INTO = frozenset(EntryStatus) - {EntryStatus.RUNNING, EntryStatus.DISCARDED}


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move. ``fenced``: only whoever holds the entry's run id may make it."""

    verb: str
    sources: frozenset[EntryStatus]
    targets: frozenset[EntryStatus]
    fenced: bool = False


def _move(
    verb: str, sources: set[EntryStatus], targets: set[EntryStatus], *, fenced: bool = False
) -> Transition:
    return Transition(verb, frozenset(sources), frozenset(targets), fenced)


_S = EntryStatus

TRANSITIONS: tuple[Transition, ...] = (
    _move("submit", {_S.PENDING}, {_S.QUEUED}),
    _move("claim", {_S.QUEUED}, {_S.RUNNING}, fenced=True),
    _move("finish", {_S.RUNNING}, {_S.SUCCEEDED, _S.FAILED, _S.SCHEDULED}, fenced=True),
    _move("wake", {_S.SCHEDULED}, {_S.QUEUED}),
    _move("retry", {_S.FAILED}, {_S.QUEUED}),
    _move("retry_now", {_S.SCHEDULED}, {_S.QUEUED}),
    _move("stop", {_S.SCHEDULED}, {_S.FAILED}),
    _move("resync", set(RESTING), {_S.QUEUED}),
    _move("revert", {_S.RUNNING}, set(RESTING), fenced=True),
    _move("cancel", {_S.QUEUED}, set(RESTING), fenced=True),
    _move("discard", {_S.PENDING, _S.SCHEDULED, _S.FAILED}, {_S.DISCARDED}),
    _move("restore", {_S.DISCARDED}, {_S.FAILED, _S.PENDING}),
    _move("release", {_S.RUNNING}, {_S.QUEUED}, fenced=True),
    _move("rescue", {_S.RUNNING}, {_S.FAILED, _S.QUEUED}, fenced=True),
    _move("resubmit", {_S.PENDING, _S.SCHEDULED, _S.SUCCEEDED, _S.FAILED}, {_S.QUEUED}),
)


def allowed_statuses(verb: str) -> frozenset[EntryStatus]:
    """The statuses from which ``verb`` may start. Raises ``KeyError`` for an unknown verb."""
    for transition in TRANSITIONS:
        if transition.verb == verb:
            return transition.sources
    raise KeyError(verb)


def mermaid() -> str:
    """The moves as a Mermaid state diagram, one arrow for each pair of statuses."""
    arrows: dict[tuple[EntryStatus, EntryStatus], list[str]] = {}
    order = list(EntryStatus)
    for move in TRANSITIONS:
        for source in sorted(move.sources, key=order.index):
            for target in sorted(move.targets, key=order.index):
                arrows.setdefault((source, target), []).append(move.verb)
    lines = [f"    {a} --> {b}: {', '.join(verbs)}" for (a, b), verbs in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {EntryStatus.PENDING}", *lines])
