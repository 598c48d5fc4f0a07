"""``.env.example``, the settings and the documentation say the same of every variable."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.laws.tree import ROOT, modules, nodes

SETTINGS = [
    ast.parse((ROOT / "config" / name).read_text())
    for name in ("env.py", "settings.py", "notices.py", "metrics.py", "gunicorn.py")
]
LINES = (ROOT / ".env.example").read_text().splitlines()
DOCS = (ROOT / "docs" / "operations.md").read_text()
_VARIABLE = re.compile(r"(?:# )?(?P<name>[A-Z][A-Z0-9_]+)=(?P<value>.*)")
_ROW = re.compile(
    r"\| `(?P<name>[A-Z_]+)` \| (?P<default>.*?) *\| (?P<unit>.*?) *\| (?P<does>.+) \|"
)
#: Read only to refuse it, with words about what took its place.
REFUSED = {"BEHIND_PROXY"}
#: What has no default in production; the example shows the form of some.
REQUIRED = {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"}
#: What depends on the environment that REDRIVE_ENV names.
OF_PRODUCTION = {"HTTPS": "true", "REDRIVE_ENV": "production"}


def example() -> dict[str, str]:
    found = [m for line in LINES if (m := _VARIABLE.fullmatch(line))]
    assert len({m["name"] for m in found}) == len(found), "one of them stands there twice"
    return {m["name"]: m["value"] for m in found}


def table() -> dict[str, re.Match[str]]:
    rows = [m for line in DOCS.splitlines() if (m := _ROW.fullmatch(line))]
    assert len({row["name"] for row in rows}) == len(rows), "one of them stands there twice"
    return {row["name"]: row for row in rows}


def read() -> Iterator[tuple[str, ast.expr | None]]:
    """Name and default of each variable that the settings read."""
    for node in (node for tree in SETTINGS for node in ast.walk(tree)):
        if not isinstance(node, ast.Call):
            continue
        function = ast.unparse(node.func)
        if function != "require" and not function.startswith("env."):
            continue
        if isinstance(node.args[0], ast.Constant):  # ``require`` itself passes a name on
            name = ast.literal_eval(node.args[0])
            yield name, node.args[1] if len(node.args) > 1 else None


def as_written(default: ast.expr) -> str:
    """A default as somebody would write it into the file."""
    if isinstance(default, ast.BinOp):  # a path below the project
        parts = ast.unparse(default).split(" / ")
        assert parts[0] == "BASE_DIR"
        return "/".join(map(ast.literal_eval, parts[1:]))
    value: Any = ast.literal_eval(default)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_variable_stands_in_the_example_with_its_default() -> None:
    there = example()
    for name, default in read():
        if name in REFUSED or name in OF_PRODUCTION:
            continue
        if name in REQUIRED:
            assert name in there
            continue
        assert default is not None, name
        assert there.get(name) == as_written(default), name
    assert {name: there[name] for name in OF_PRODUCTION} == OF_PRODUCTION


def test_the_example_names_nothing_that_is_not_read() -> None:
    known = {name for name, _ in read()}
    assert known >= REQUIRED
    assert example().keys() == known - REFUSED


def test_the_table_in_the_documentation_is_the_example() -> None:
    shown = {
        name: "" if row["default"] == "required" else row["default"].strip("`")
        for name, row in table().items()
    }
    assert list(shown) == list(example()), "the same variables in the same order"
    assert shown == {name: "" if name in REQUIRED else value for name, value in example().items()}
    assert {name for name, row in table().items() if row["default"] == "required"} == REQUIRED


def test_every_number_in_the_table_has_a_unit() -> None:
    numbers = {name for name, row in table().items() if row["default"].strip("`").isdigit()}
    assert len(numbers) > 10
    assert {name for name in numbers if not table()[name]["unit"]} == set()


def test_no_default_stands_beside_a_use() -> None:
    """A setting has one default, in the settings."""
    assert [
        f"{path}:{node.lineno}"
        for path in modules()
        for node in nodes(path)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"getattr", "hasattr"}
        and ast.unparse(node.args[0]).endswith("settings")
    ] == []


@pytest.mark.parametrize("line", LINES)
def test_a_comment_stands_on_a_line_of_its_own(line: str) -> None:
    """Docker and systemd would read it as a part of the value."""
    found = _VARIABLE.fullmatch(line)
    assert found or not line or line.startswith("# ")
    if found:
        assert not re.search(r"\s", found["value"])


def test_the_documentation_knows_the_defaults() -> None:
    there = example()
    named = set(re.findall(r"`(REDRIVE_[A-Z_]+)", DOCS))
    assert named <= there.keys()
    told = re.findall(r"`(REDRIVE_[A-Z_]+)`\s+\(([\d,]+|true|false)(?: seconds)?\)", DOCS)
    assert {"REDRIVE_SYNC_TIMEOUT", "REDRIVE_LEASE_SECONDS"} <= {name for name, _ in told}
    assert {name: value.replace(",", "") for name, value in told}.items() <= there.items()


def test_hsts_starts_small() -> None:
    there = example()
    assert int(there["HSTS_SECONDS"]) <= 86_400
    assert there["HSTS_INCLUDE_SUBDOMAINS"] == there["HSTS_PRELOAD"] == "false"
