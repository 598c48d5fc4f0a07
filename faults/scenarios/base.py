"""What a scenario is, and what it says of itself."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from faults.stage import Stage


@dataclass(slots=True)
class Outcome:
    """``guilty``: entries that run again, or end without a word, by their own fault. ``recovered``:
    seconds until the product was right again, of which at most ``allowed``. ``wrong``: what else
    did not hold, in words.
    """

    guilty: Collection[int] = ()
    recovered: float | None = None
    allowed: float | None = None
    wrong: list[str] = field(default_factory=list)

    def expect(self, holds: bool, words: str) -> None:  # noqa: FBT001 - reads as an assertion
        if not holds:
            self.wrong.append(words)


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    #: What is broken, as a row of the table says it.
    broken: str
    play: Callable[[Stage], Outcome]
