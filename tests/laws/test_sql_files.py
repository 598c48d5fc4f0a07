"""Each ``.sql`` file belongs to the module beside it, which uses all of it and nothing else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from entries.sql.statements import read
from tests.laws.tree import ROOT, files, parsed

FILES = files("sql")
_INCLUDE = re.compile(r"(?<![\w@])@([a-z][a-z0-9_]*)\b")


def holders(tree: ast.AST) -> set[str]:
    """Names that hold the statements: ``_SQL = load(__file__)``."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="load"), args=[ast.Name(id="__file__")]),
            ):
                found.add(name)
    return found


def used(tree: ast.AST) -> Iterator[str]:
    """Names of statements that the module runs. Raises ``AssertionError`` for one computed."""
    names = holders(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Name(id=holder), slice=index) if holder in names:
                assert isinstance(index, ast.Constant), f"{ast.unparse(node)} is no plain name"
                yield str(index.value)


def exports_fragments(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Attribute) and node.attr == "fragments" for node in ast.walk(tree)
    )


def included(path: Path) -> set[str]:
    """Fragments that the file takes in; comments may name others."""
    lines = (ROOT / path).read_text().splitlines()
    code = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
    return set(_INCLUDE.findall(code))


def names(path: Path, what: str) -> set[str]:
    return set(re.findall(rf"^-- {what}: (\w+)$", (ROOT / path).read_text(), re.MULTILINE))


def test_there_are_files() -> None:
    assert len(FILES) >= 10


@pytest.mark.parametrize("path", FILES, ids=str)
class TestEachFile:
    def test_the_module_beside_it_uses_its_statements(self, path: Path) -> None:
        module = path.with_suffix(".py")
        assert (ROOT / module).is_file(), "no module stands beside it"
        tree = parsed(module)
        assert set(used(tree)) == names(path, "name")
        if not names(path, "name"):
            assert exports_fragments(tree)

    def test_its_fragments_are_used_or_offered(self, path: Path) -> None:
        offered = exports_fragments(parsed(path.with_suffix(".py")))
        assert offered or names(path, "fragment") <= included(path)


def test_a_statement_by_another_name_would_be_seen() -> None:
    tree = ast.parse('_SQL = load(__file__)\ncursor.execute(_SQL["a"])\nother["b"]')
    assert set(used(tree)) == {"a"}
    with pytest.raises(AssertionError, match="no plain name"):
        list(used(ast.parse("_SQL = load(__file__)\n_SQL[verb]")))


def test_the_files_are_read_as_they_are_written(tmp_path: Path) -> None:
    """The law and the loader agree on what a heading is."""
    file = tmp_path / "a.sql"
    file.write_text("-- fragment: b\n-- B.\n1\n-- name: a\n-- A.\nSELECT @b\n")
    found = read(file)
    assert (set(found.statements), set(found.fragments)) == (
        names(file, "name"),
        names(file, "fragment"),
    )
