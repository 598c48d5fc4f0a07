"""What a measurement found, for the terminal and for docs/performance.md."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.table import Table

from bench.machine import Machine, mode

#: A table that is cut off says nothing, so a narrow terminal breaks the lines.
_WIDTH = 120
#: Of the tables that compare; ``ratio`` is ours divided by theirs, more is better for us.
_COLUMNS = ("", "entries/s", "entries", "seconds", "ours / this")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One line of a comparison. ``seconds`` None: it could not be measured, and ``note`` says why.
    ``limit``: not a peer but what the machine could do at all.
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


def together(first: Measured, second: Measured) -> Measured:
    """Two turns of the same as one, so that neither a lucky nor an unlucky moment counts alone."""
    if first.seconds is None or second.seconds is None:
        return first
    return replace(
        first,
        entries=first.entries + second.entries,
        seconds=first.seconds + second.seconds,
    )


def turns(*, ours: tuple[Measured, Measured], rival: tuple[Measured, Measured]) -> str:
    """What the two turns were apart: how quiet the machine was."""

    def told(pair: tuple[Measured, Measured]) -> str:
        return " and ".join(f"{item.rate:,.0f}" if item.rate else item.note for item in pair)

    return (
        "Ours and BullMQ's first row are two turns added up, before and after all others: "
        f"{told(ours)} entries/s, and {told(rival)}."
    )


def not_installed(name: str) -> Measured:
    return Measured(name=name, note="not installed")


@dataclass(frozen=True, slots=True)
class Report:
    """A table of strings. ``notes`` stand below it."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = field(default_factory=tuple)

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
        return f"{table}\n{notes}\n\n{machine.words()}"


def comparison(title: str, measured: Sequence[Measured], *, notes: Sequence[str] = ()) -> Report:
    """Everything against the one that is ours."""
    ours = next(item for item in measured if item.ours)
    assert ours.rate is not None
    return Report(title, _COLUMNS, [_row(item, ours.rate) for item in measured], notes)


def _row(item: Measured, ours: float) -> list[str]:
    name = f"{item.name} (limit)" if item.limit else item.name
    if item.rate is None or item.seconds is None:
        return [name, item.note or "not measured", "", "", ""]
    ratio = "" if item.ours else f"{ours / item.rate:.2f}"
    return [name, f"{item.rate:,.0f}", f"{item.entries:,}", f"{item.seconds:.2f}", ratio]


def store(text: str, *, name: str, report: str, machine: Machine) -> str:
    """``text`` with the block of this measurement, in this mode of the disk, replaced.

    Raises ``ValueError`` where the markers are missing.
    """
    begin, end = (f"<!-- {word} {name} {mode(machine)} -->" for word in ("measured", "end"))
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no block between {begin} and {end}")
    return f"{head}{begin}\n\n{report}\n\n{end}{tail}"
