"""What the documents name exists: files, modules, links, and every decision in the index."""

import re
from pathlib import Path

import pytest

from tests.laws.tree import ROOT

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
_CODE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"(?:bench|config|docs|entries|faults|retry|tests|tools)/[\w./-]*[\w/]")
_MODULE = re.compile(r"(?:config|entries|retry|tools)(?:\.[a-z_]\w*)+")
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")
_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
#: What looks like a module and is a permission.
_PERMISSION = re.compile(r"(?:entries|retry)\.[a-z]+_[a-z_]+")
#: Pages about addresses, which look like files.
ADDRESSES = {"api.md", "permissions.md"}
#: Files that a user makes, or that a page invents.
INVENTED = {"entries/kinds/invoice.py"}


def texts(page: Path) -> list[str]:
    return _CODE.findall(_FENCE.sub("", page.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_exist(page: Path) -> None:
    named = [] if page.name in ADDRESSES else [t for t in texts(page) if _FILE.fullmatch(t)]
    assert [name for name in named if not (ROOT / name).exists() and name not in INVENTED] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_that_are_named_exist(page: Path) -> None:
    named = [text for text in texts(page) if _MODULE.fullmatch(text)]
    assert [name for name in named if not is_known(name)] == []


def is_known(name: str) -> bool:
    """Whether a module is called so, or has something of that name; permissions look alike."""
    if _PERMISSION.fullmatch(name) and not (ROOT / name.replace(".", "/")).exists():
        return True
    parts = name.split(".")
    return any(
        (ROOT.joinpath(*parts[:length])).is_dir()
        or (ROOT.joinpath(*parts[:length])).with_suffix(".py").is_file()
        for length in range(max(2, len(parts) - 2), len(parts) + 1)
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = _LINK.findall(_FENCE.sub("", page.read_text()))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_decision_is_in_the_index() -> None:
    folder = ROOT / "docs" / "decisions"
    index = (folder / "README.md").read_text()
    titles = {
        path.name: re.match(r"# (\d{4}):? (.+)", path.read_text()) for path in folder.glob("0*.md")
    }
    assert [
        name
        for name, title in titles.items()
        if title is None or f"[{title[1]}]({name}) {title[2]}\n" not in index
    ] == []


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert [name for name in sorted(pages) if f"]({name})" not in index] == []


def test_the_way_through_the_worker_is_short() -> None:
    """At most seven files, and none is visited twice."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    walk = text.partition("**A run, from the RQ job")[2].partition("\n\nBeside them")[0]
    files = re.findall(r"^\d+\. `([^`]+)`", walk, re.MULTILINE)
    assert 1 < len(files) <= 7
    assert len(files) == len(set(files))
