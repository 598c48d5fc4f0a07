"""The steps of ``docs/where-to-change.md``, and examples of such changes to make in a copy.

An example is a folder of ``tests/laws/newcomer`` with a file for each file that it touches: what
ends in ``.new`` is a new file, what ends in ``.insert`` adds to one that exists. There a line
``@@ after|before|inside <pattern>`` says where the text below it goes: after or before the match of
the regular expression; ``inside`` without the line break at the end of the text.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.laws.tree import ROOT

PAGE = ROOT / "docs" / "where-to-change.md"
EXAMPLES = ROOT / "tests" / "laws" / "newcomer"
_STEP = re.compile(r"^\d+\. `([^`]+)`: ", re.MULTILINE)
_PLACEHOLDER = re.compile(r"<\w+>")
_PLACE = re.compile(r"^@@ (after|before|inside) (.+)\n", re.MULTILINE)


def sections() -> Mapping[str, list[str]]:
    """Return the files of each section, in the order of its steps."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    return {title: _STEP.findall(text) for title, text in zip(parts[::2], parts[1::2], strict=True)}


def matches(named: str, path: str) -> bool:
    """Return whether ``path`` is what the page names, with any name for each ``<placeholder>``."""
    pattern = "[a-z0-9_]+".join(re.escape(part) for part in _PLACEHOLDER.split(named))
    return re.fullmatch(pattern, path) is not None


def touched(example: str) -> set[str]:
    """Return the paths that the example changes, relative to the root."""
    folder = EXAMPLES / example
    return {
        str(path.relative_to(folder).with_suffix(""))
        for path in folder.rglob("*")
        if path.suffix in {".new", ".insert"}
    }


def apply(example: str, tree: Path) -> None:
    """Make the change of the example in ``tree``. Raises ``ValueError`` where it does not fit."""
    folder = EXAMPLES / example
    for path in sorted(folder.rglob("*")):
        target = tree / path.relative_to(folder).with_suffix("")
        match path.suffix:
            case ".new":
                if target.exists():
                    raise ValueError(f"{target} exists already")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
            case ".insert":
                target.write_text(insert(target.read_text(), path.read_text()))


def insert(text: str, additions: str) -> str:
    """Return ``text`` with each of the ``additions`` at its place, which must exist once."""
    parts = _PLACE.split(additions)
    if parts[0]:
        raise ValueError("an addition begins with its place")
    for where, pattern, addition in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        found = list(re.finditer(pattern, text, re.MULTILINE))
        if len(found) != 1:
            raise ValueError(f"{len(found)} places match {pattern!r}")
        at = found[0].start() if where == "before" else found[0].end()
        new = addition.removesuffix("\n") if where == "inside" else addition
        text = text[:at] + new + text[at:]
    return text


def copy_tree(target: Path) -> None:
    """Copy what belongs to the project, and make it a repository, as the laws expect one.

    With the bytecode that there is of it, which is as good there as here.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    folders = set()
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
            folders.add(Path(name).parent / "__pycache__")
    for folder in folders:
        if (ROOT / folder).is_dir():
            # What is being written at the moment has another name and is left out.
            unfinished = shutil.ignore_patterns("*.pyc.*")
            shutil.copytree(ROOT / folder, target / folder, ignore=unfinished)
    subprocess.run(["git", "init", "-q"], cwd=target, check=True)
