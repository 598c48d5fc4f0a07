"""``.env.example``, the settings and the documentation say the same of every variable."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.laws.tree import ROOT

SETTINGS = [
    ast.parse((ROOT / "config" / name).read_text()) for name in ("settings.py", "gunicorn.py")
]
LINES = (ROOT / ".env.example").read_text().splitlines()
DOCS = (ROOT / "docs" / "operations.md").read_text()
_VARIABLE = re.compile(r"(?:# )?(?P<name>[A-Z][A-Z0-9_]+)=(?P<value>.*)")
#: For those who develop, and what is refused with words about what took its place.
NOT_FOR_PEOPLE = {"DEBUG", "DATABASE_CONN_MAX_AGE", "BEHIND_PROXY"}
#: What depends on the environment that REDRIVE_ENV names.
OF_PRODUCTION = {"HTTPS": "true", "REDRIVE_ENV": "production"}


def example() -> dict[str, str]:
    found = [m for line in LINES if (m := _VARIABLE.fullmatch(line))]
    assert len({m["name"] for m in found}) == len(found), "one of them stands there twice"
    return {m["name"]: m["value"] for m in found}


def read() -> Iterator[tuple[str, ast.expr | None]]:
    """Name and default of each variable that the settings read."""
    for node in (node for tree in SETTINGS for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("env."):
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
        if name in NOT_FOR_PEOPLE or default is None or name in OF_PRODUCTION:
            continue
        if name in {"DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"}:  # required in production
            assert name in there
            continue
        assert there.get(name) == as_written(default), name
    assert {name: there[name] for name in OF_PRODUCTION} == OF_PRODUCTION


def test_the_example_names_nothing_that_is_not_read() -> None:
    known = {name for name, _ in read()} | {"SECRET_KEY", "DATABASE_URL", "REDRIVE_ENV"}
    assert example().keys() <= known


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
