"""A scenario and its outcome."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from faults.stage import Stage


@dataclass(slots=True)
class Outcome:
    """``guilty``: entries that cause their own repeats or missing ends. ``recovered``: seconds
    until everything worked again, at most ``allowed``. ``wrong``: other failed expectations.
    ``skipped``: why it could not be played on this machine.
    """

    guilty: Collection[int] = ()
    recovered: float | None = None
    allowed: float | None = None
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""

    def expect(self, holds: bool, words: str) -> None:  # noqa: FBT001 - reads as an assertion
        if not holds:
            self.wrong.append(words)


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    #: The fault, for a row of the table.
    broken: str
    play: Callable[[Stage], Outcome]
