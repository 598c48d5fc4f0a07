"""What every file of ours keeps to, beyond what linters see."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.laws.tree import ROOT, files, modules, nodes

#: One test process parses the project.
pytestmark = pytest.mark.xdist_group("sources")

LONGEST = 300
LONGEST_TEMPLATE = 80
TEMPLATES = files("html")
SCRIPTS = files("css", "js")
SOURCES = modules("bench", "config", "entries", "faults", "retry", "tests", "tools")
_LATER = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
#: Programs of their own, whose output is what they are for.
_MAY_PRINT = (Path("tools/demo"), Path("tools/embedded"), Path("tools/pictures"))
INLINE = {
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a style attribute": re.compile(r"<[^>]*\sstyle\s*=", re.IGNORECASE),
    "a script without src": re.compile(r"<script\b(?![^>]*\bsrc\s*=)", re.IGNORECASE),
    "an event attribute": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
    "a javascript: address": re.compile(r"javascript:", re.IGNORECASE),
    "htmx code in an attribute": re.compile(r"\bhx-(?:on|vals\s*=\s*[\"']js:)", re.IGNORECASE),
}


def test_no_file_is_long() -> None:
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in SOURCES + SCRIPTS}
    assert {str(path): lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_nothing_is_left_for_later() -> None:
    assert [
        f"{path}: {text}" for path in SOURCES for text in comments(path) if _LATER.search(text)
    ] == []


def test_nothing_is_printed() -> None:
    programs = [path for path in modules() if not any(p in path.parents for p in _MAY_PRINT)]
    assert [
        f"{path}:{node.lineno}"
        for path in programs
        for node in nodes(path)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ] == []


def test_no_template_is_long() -> None:
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in TEMPLATES}
    assert {str(path): lines for path, lines in lengths.items() if lines > LONGEST_TEMPLATE} == {}


def test_no_template_brings_code_of_its_own() -> None:
    """The content security policy would refuse it, and only a browser would notice."""
    assert [
        f"{path}: {name}"
        for path in TEMPLATES
        for name, pattern in INLINE.items()
        if pattern.search((ROOT / path).read_text())
    ] == []


def comments(path: Path) -> Iterator[str]:
    with (ROOT / path).open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.string


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a style element", "<STYLE>p {}</STYLE>"),
        ("a style attribute", '<p class="a"\n style="color: red">'),
        ("a script without src", "<script nonce=x>alert()</script>"),
        ("an event attribute", '<a href="#" onclick="go()">'),
        ("a javascript: address", '<a href="javascript:go()">'),
        ("htmx code in an attribute", '<a hx-on:click="go()">'),
    ],
)
def test_code_in_a_template_is_seen(name: str, text: str) -> None:
    assert INLINE[name].search(text)
    assert not INLINE[name].search('<script src="x.js"></script><p class="style=on">style = on</p>')


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 100
    assert len(TEMPLATES) > 5
