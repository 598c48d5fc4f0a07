"""Everybody's walk as tables, and the document that holds them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.admin.walking import populate
from tests.api.calls import Caller
from tests.laws.tree import ROOT
from tests.support.hiding import hide_source
from tests.walk import calls, desk, traces
from tests.walk.files import uploads_elsewhere
from tests.walk.people import OUTSIDERS, PEOPLE, WHO, WHO_OUTSIDE
from tests.walk.visits import visit_admin, visit_api
from tests.walk.words import DONE, MEANINGS, Visit

PAGE = ROOT / "docs" / "permissions.md"
COMMAND = "make permissions"
_HIDDEN = (
    "The same addresses, of objects about a source that belongs to a group of others. Lists are "
    "shown without them. What `tests/walk/test_hidden_sources.py` proves besides: no page, call or "
    "file has a text, an id or a number of what is hidden."
)
_BLOCK = re.compile(r"(<!-- generated: do not edit -->\n).*?(<!-- end of generated -->)", re.DOTALL)


@dataclass(slots=True)
class Table:
    """``rows``: by area and label, what became of each who in the order of ``columns``."""

    columns: list[str] = field(default_factory=list)
    rows: dict[tuple[int, str], dict[str, list[str]]] = field(default_factory=dict)

    def add(self, area: tuple[int, str], label: str, visit: Visit) -> None:
        self.rows.setdefault(area, {}).setdefault(label, []).append(visit.word)

    def drawn(self) -> Iterator[str]:
        for (_, title), rows in sorted(self.rows.items()):
            if title:
                yield from (f"### {title}", "")
            yield f"| | {' | '.join(self.columns)} |"
            yield f"| --- |{' --- |' * len(self.columns)}"
            for label, words in rows.items():
                yield f"| {label} | {' | '.join(map(_cell, words))} |"
            yield ""


def _cell(word: str) -> str:
    return f"**{word}**" if word == DONE else word


def tables() -> dict[str, Table]:
    """Walk as everybody; by heading. Leaves nothing behind."""
    admin = {"GET": Table(list(PEOPLE)), "POST": Table(list(PEOPLE))}
    api = {"GET": Table(), "POST": Table()}
    for who in PEOPLE:
        for step, visit in visit_admin(who):
            admin[step.method].add(step.area, step.label, visit)
    for who, visits in visit_api().items():
        for table in api.values():
            table.columns.append(who)
        for call, visit in visits:
            api[call.method].add((0, ""), call.label, visit)
    return {
        "Pages of the admin (GET)": admin["GET"],
        "Acts at the admin (POST)": admin["POST"],
        "Calls of the API that read (GET)": api["GET"],
        "Calls of the API that act (POST)": api["POST"],
    }


def hidden_tables() -> dict[str, Table]:
    """The same walks by those from whom the source is hidden that everything is about."""
    admin = {method: Table(list(OUTSIDERS)) for method in ("GET", "POST")}
    api = {method: Table(list(OUTSIDERS)) for method in ("GET", "POST")}
    with traces.undone(), uploads_elsewhere():
        made = populate()
        hide_source(made["entries_source"])
        for make in OUTSIDERS.values():
            with traces.undone():
                for step, visit in desk.walk(made, make()):
                    admin[step.method].add(step.area, step.label, visit)
    with traces.undone():
        hide_source(calls.furnish())
        for make in OUTSIDERS.values():
            with traces.undone():
                for call, visit in calls.walk(Caller(make())):
                    api[call.method].add((0, ""), call.label, visit)
    return {
        "Pages of the admin (GET), of a hidden source": admin["GET"],
        "Acts at the admin (POST), of a hidden source": admin["POST"],
        "Calls of the API that read (GET), of a hidden source": api["GET"],
        "Calls of the API that act (POST), of a hidden source": api["POST"],
    }


def page(text: str, found: Mapping[str, Table], hidden: Mapping[str, Table] | None = None) -> str:
    """``text`` with its generated block replaced."""
    drawn = "\n".join([*_drawn(found), *_drawn_hidden(hidden or {})])
    new, count = _BLOCK.subn(lambda block: f"{block[1]}{drawn}{block[2]}", text)
    if count != 1:
        raise ValueError(f"{PAGE} needs one block between its two markers")
    return new


def draw(found: Mapping[str, Table]) -> str:
    """What the page begins with."""
    return "\n".join(_drawn(found))


def draw_hidden(found: Mapping[str, Table]) -> str:
    """What it ends with."""
    return "\n".join(_drawn_hidden(found))


def read_block() -> str:
    """What ``make permissions`` has written."""
    block = _BLOCK.search(PAGE.read_text())
    assert block is not None
    return block[0].removeprefix(block[1]).removesuffix(block[2])


def _drawn(found: Mapping[str, Table]) -> Iterator[str]:
    yield from _explained("who", WHO)
    yield from _explained("word", MEANINGS)
    for title, table in found.items():
        yield from (f"## {title}", "")
        yield from table.drawn()


def _drawn_hidden(found: Mapping[str, Table]) -> Iterator[str]:
    if found:
        yield from ("## Hidden sources", "", _HIDDEN, "")
        yield from _explained("who", WHO_OUTSIDE)
    for title, table in found.items():
        yield from (f"### {title}", "")
        yield from (line.replace("### ", "#### ") for line in table.drawn())


def _explained(heading: str, meanings: Mapping[str, str]) -> "Iterable[str]":
    rows = (f"| {name} | {meaning} |" for name, meaning in meanings.items())
    return [f"| {heading} | means |", "| --- | --- |", *rows, ""]


def write(
    found: Mapping[str, Table], path: Path = PAGE, hidden: Mapping[str, Table] | None = None
) -> None:
    path.write_text(page(path.read_text(), found, hidden))
