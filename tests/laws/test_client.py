"""The client is made from one text, and knows nothing of the desk's code."""

import ast
from pathlib import Path

from tests.laws.tree import ROOT, parsed
from tools.make_client import FOLDER, make

_OURS = ("config", "django", "entries", "retry", "tools")


def test_the_client_without_an_event_loop_is_made_from_the_one_with(tmp_path: Path) -> None:
    make(tmp_path)
    made = {path.name: path.read_text() for path in tmp_path.glob("*.py")}
    kept = {path.name: path.read_text() for path in (FOLDER / "_sync").glob("*.py")}
    assert made == kept, "run make client"


def test_it_imports_nothing_of_the_desk() -> None:
    for path in sorted(FOLDER.rglob("*.py")):
        for node in ast.walk(parsed(path.relative_to(ROOT))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [n for n in names if n.split(".")[0] in _OURS], path
