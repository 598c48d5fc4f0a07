"""The states of an operation and the moves between them: who may do what when."""

from collections.abc import Iterable
from dataclasses import dataclass

from retry.models import OperationState

_S = OperationState
#: Nothing changes any more.
FINISHED = frozenset({_S.COMPLETED, _S.CANCELLED})
#: In the order in which the index of them has it.
OPEN = (_S.AWAITING, _S.PLANNED, _S.RUNNING, _S.PAUSED)


@dataclass(frozen=True, slots=True)
class OperationMove:
    """``by_people``: a verb of ``retry.service``; the others are the dispatcher's."""

    verb: str
    sources: frozenset[OperationState]
    targets: frozenset[OperationState]
    by_people: bool = True


def _move(
    verb: str,
    sources: Iterable[OperationState],
    targets: Iterable[OperationState],
    *,
    by_people: bool = True,
) -> OperationMove:
    return OperationMove(verb, frozenset(sources), frozenset(targets), by_people)


#: A new operation is planned, or awaits approval.
FIRST = (_S.PLANNED, _S.AWAITING)
MOVES: tuple[OperationMove, ...] = (
    _move("approve", {_S.AWAITING}, {_S.PLANNED}),
    _move("reject", {_S.AWAITING}, {_S.CANCELLED}),
    _move("reschedule", {_S.PLANNED, _S.PAUSED}, ()),
    _move("begin", {_S.PLANNED}, {_S.RUNNING}, by_people=False),
    _move("pause", {_S.PLANNED, _S.RUNNING}, {_S.PAUSED}),
    _move("resume", {_S.PAUSED}, {_S.PLANNED, _S.RUNNING}),
    _move("cancel", {_S.AWAITING, _S.PLANNED, _S.RUNNING, _S.PAUSED}, {_S.CANCELLED}),
    _move("complete", {_S.RUNNING, _S.PAUSED}, {_S.COMPLETED}, by_people=False),
)


def find_move(verb: str) -> OperationMove:
    """Raises ``KeyError``."""
    for move in MOVES:
        if move.verb == verb:
            return move
    raise KeyError(verb)


def mermaid() -> str:
    """Return the moves as a Mermaid state diagram, one arrow for each pair of states."""
    arrows: dict[tuple[OperationState, OperationState], list[str]] = {}
    order = list(OperationState)
    for move in MOVES:
        for source in sorted(move.sources, key=order.index):
            for target in sorted(move.targets, key=order.index):
                if source != target:
                    arrows.setdefault((source, target), []).append(move.verb)
    begin = [f"    [*] --> {state.value}: start" for state in FIRST]
    lines = [f"    {a.value} --> {b.value}: {', '.join(v)}" for (a, b), v in arrows.items()]
    return "\n".join(["stateDiagram-v2", *begin, *lines])
