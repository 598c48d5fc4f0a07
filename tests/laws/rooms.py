"""The rooms of the code and the imports between them, as ``docs/architecture.md`` draws them."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.laws.layers import contract, dotted, split
from tests.laws.tree import ROOT, modules, parsed

PAGE = ROOT / "docs" / "architecture.md"
#: A room is a package directly in one of these; this file is an entrance of its own.
HOUSES = ("entries", "retry")
ENTRANCE = "retry.service"


def find_rooms() -> list[str]:
    """Return the rooms, those of the upper layers first."""
    found = {
        f"{path.parts[0]}.{path.parts[1]}"
        for path in modules(*HOUSES)
        if len(path.parts) > 2 and path.name != "__init__.py"
    }
    layers = [split(layer) for layer in contract("Imports go downwards only")]
    places = {module: place for place, module in enumerate(m for layer in layers for m in layer)}
    return sorted(found | {ENTRANCE}, key=lambda room: (places.get(room, len(places)), room))


def find_arrows() -> dict[str, set[str]]:
    """Return for each room the rooms that it imports, without what a longer way implies."""
    rooms = find_rooms()
    direct: dict[str, set[str]] = {room: set() for room in rooms}
    for path in modules(*HOUSES):
        room = _find_room(dotted(path), rooms)
        targets = {_find_room(module, rooms) for module in _imported(path)}
        if room is not None:
            direct[room] |= {target for target in targets if target not in {None, room}}
    return {
        room: {
            target
            for target in targets
            if not any(target in find_reachable(other, direct) for other in targets - {target})
        }
        for room, targets in direct.items()
    }


def draw() -> str:
    """Return the drawing in Mermaid's language."""
    rooms, arrows = find_rooms(), find_arrows()
    lines = ["flowchart TB"]
    for house in HOUSES:
        lines.append(f"    subgraph {house}")
        lines += [f"        {r}[{r.partition('.')[2]}]" for r in rooms if r.startswith(f"{house}.")]
        lines.append("    end")
    lines += [f"    {room} --> {target}" for room in rooms for target in sorted(arrows[room])]
    return "\n".join(["```mermaid", *lines, "```", ""])


def _find_room(module: str, rooms: list[str]) -> str | None:
    return next((r for r in rooms if module == r or module.startswith(f"{r}.")), None)


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.Import(names=names):
                yield from (alias.name for alias in names)


def find_reachable(room: str, arrows: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    open_ = [room]
    while open_:
        for target in arrows[open_.pop()] - found:
            found.add(target)
            open_.append(target)
    return found
