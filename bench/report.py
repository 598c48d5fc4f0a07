"""The results of a measurement, for the terminal and for docs/performance.md."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.table import Table

from bench.machine import Machine, durability

#: Wider than a narrow terminal, which then wraps lines instead of cutting cells.
_WIDTH = 120
#: The last column divides Redrive's rate by the row's: above 1, Redrive is faster.
_COLUMNS = ("", "entries/s", "entries", "seconds", "Redrive / this")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A row of a comparison.

    ``seconds`` None: not measured, and ``note`` says why. ``limit``: no peer, but the limit of the
    machine. ``ours``: Redrive itself.
    """

    name: str
    entries: int = 0
    seconds: float | None = None
    note: str = ""
    ours: bool = False
    limit: bool = False

    @property
    def rate(self) -> float | None:
        return self.entries / self.seconds if self.seconds else None


def add_turns(first: Measurement, second: Measurement) -> Measurement:
    """Add two turns, so that neither a quiet nor a busy moment counts alone."""
    if first.seconds is None or second.seconds is None:
        return first
    return replace(
        first,
        entries=first.entries + second.entries,
        seconds=first.seconds + second.seconds,
    )


def describe_turns(
    *, redrive: tuple[Measurement, Measurement], rival: tuple[Measurement, Measurement]
) -> str:
    """Describe both turns: how far apart they are shows how quiet the machine was."""

    def rates(pair: tuple[Measurement, Measurement]) -> str:
        return " and ".join(f"{item.rate:,.0f}" if item.rate else item.note for item in pair)

    return (
        "The first rows of Redrive and BullMQ add up two turns, before and after all others: "
        f"{rates(redrive)} entries/s, and {rates(rival)}."
    )


def describe_missing_peer(name: str) -> Measurement:
    return Measurement(name=name, note="not installed")


@dataclass(frozen=True, slots=True)
class Report:
    """A table of strings, with ``notes`` below it, and a picture beside docs/performance.md."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)
    picture: str = ""

    def print(self) -> None:
        table = Table(title=self.title, title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        console = Console()
        console.width = max(console.width, _WIDTH)
        console.print(table)
        for note in self.notes:
            console.print(note, style="dim", highlight=False)

    def markdown(self, machine: Machine) -> str:
        aligned = ["---"] + ["---:"] * (len(self.columns) - 1)
        lines = [self.columns, aligned, *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        notes = "".join(f"\n- {note}" for note in self.notes)
        picture = f"\n\n![{self.title}](performance/{self.picture})" if self.picture else ""
        return f"{table}\n{notes}\n\n{machine.describe()}{picture}"


def compare(title: str, measured: Sequence[Measurement], *, notes: Sequence[str] = ()) -> Report:
    """Build a table that compares every row with Redrive's."""
    ours = next(item for item in measured if item.ours)
    assert ours.rate is not None
    return Report(title, _COLUMNS, [_row(item, ours.rate) for item in measured], notes)


def _row(item: Measurement, ours: float) -> list[str]:
    name = f"{item.name} (limit)" if item.limit else item.name
    if item.rate is None or item.seconds is None:
        return [name, item.note or "not measured", "", "", ""]
    ratio = "" if item.ours else f"{ours / item.rate:.2f}"
    return [name, f"{item.rate:,.0f}", f"{item.entries:,}", f"{item.seconds:.2f}", ratio]


def store(text: str, *, name: str, report: str, machine: Machine) -> str:
    """Return ``text`` with the block of this measurement and durability replaced.

    Raises ``ValueError`` if the markers are missing.
    """
    begin, end = (f"<!-- {word} {name} {durability(machine)} -->" for word in ("measured", "end"))
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no block between {begin} and {end}")
    return f"{head}{begin}\n\n{report}\n\n{end}{tail}"
