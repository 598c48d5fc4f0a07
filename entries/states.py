"""The statuses of an entry and the moves between them; pure.

``TRANSITIONS`` is the only place that lists the moves. ``entries.transitions`` reads its guards
from it, the diagram in ``docs/states.md`` is generated from it, and tests hold the three together.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_noop


class EntryStatus(StrEnum):
    PENDING = gettext_noop("pending")
    QUEUED = gettext_noop("queued")
    RUNNING = gettext_noop("running")
    SCHEDULED = gettext_noop("scheduled")
    SUCCEEDED = gettext_noop("succeeded")
    FAILED = gettext_noop("failed")
    DISCARDED = gettext_noop("discarded")


class AttemptStatus(StrEnum):
    QUEUED = gettext_noop("queued")
    RUNNING = gettext_noop("running")
    SUCCEEDED = gettext_noop("succeeded")
    FAILED = gettext_noop("failed")
    LOST = gettext_noop("lost")
    CANCELLED = gettext_noop("cancelled")
    #: Only changes were to be processed, and its source had none.
    UNCHANGED = gettext_noop("unchanged")


class SentState(StrEnum):
    """What is known of a task that was sent to another installation."""

    #: It is about to be sent, or its sender has died then.
    INTENDED = "intended"
    SENT = "sent"
    #: It may have been sent, and there was no sign of it.
    DOUBTFUL = "doubtful"
    #: What became of it was seen.
    ENDED = "ended"


class Change(StrEnum):
    """What a resync found at the source."""

    CHANGED = gettext_noop("changed")
    UNCHANGED = gettext_noop("unchanged")
    #: The source does not have the entry any more.
    GONE = gettext_noop("gone")


#: An entry in one of these has a run: it waits for a worker, or a worker has it.
ACTIVE = frozenset({EntryStatus.QUEUED, EntryStatus.RUNNING})
RESTING = frozenset(EntryStatus) - ACTIVE
#: Pushed content is stored into entries in one of these. A running one would not see it, and a
#: discarded one is out of use; both can be pushed again later.
STORED_INTO = frozenset(EntryStatus) - {EntryStatus.RUNNING, EntryStatus.DISCARDED}


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move. ``fenced``: only the holder of the entry's run id may make it."""

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
    _move("defer", {_S.PENDING}, {_S.SCHEDULED}),
    _move("adopt", {_S.PENDING}, {_S.FAILED}),
    _move("claim", {_S.QUEUED}, {_S.RUNNING}, fenced=True),
    _move("finish", {_S.RUNNING}, {_S.SUCCEEDED, _S.FAILED, _S.SCHEDULED}, fenced=True),
    _move("wake", {_S.SCHEDULED}, {_S.QUEUED}),
    _move("retry", {_S.FAILED}, {_S.QUEUED}),
    _move("repair", {_S.FAILED, _S.SCHEDULED}, {_S.QUEUED}),
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


#: What changes content and no status, and from which statuses it may.
CONTENT_VERBS = {"undo": RESTING}


def find_allowed_statuses(verb: str) -> frozenset[EntryStatus]:
    """Return the statuses from which ``verb`` may start. Raises ``KeyError`` if it is unknown."""
    for transition in TRANSITIONS:
        if transition.verb == verb:
            return transition.sources
    return CONTENT_VERBS[verb]


def mermaid() -> str:
    """Return the moves as a Mermaid state diagram, one arrow for each pair of statuses."""
    arrows: dict[tuple[EntryStatus, EntryStatus], list[str]] = {}
    order = list(EntryStatus)
    for move in TRANSITIONS:
        for source in sorted(move.sources, key=order.index):
            for target in sorted(move.targets, key=order.index):
                arrows.setdefault((source, target), []).append(move.verb)
    lines = [f"    {a} --> {b}: {', '.join(verbs)}" for (a, b), verbs in arrows.items()]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {EntryStatus.PENDING}", *lines])
