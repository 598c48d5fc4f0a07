"""Functions are verbs, classes and modules are nouns, and nothing is an ``x_of``."""

import ast
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.laws.names import (
    OVERRIDES,
    definitions,
    exception_names,
    problem_with,
    problem_with_module,
)
from tests.laws.tree import modules, parsed

#: One test process parses the project.
pytestmark = pytest.mark.xdist_group("sources")

PATHS = modules("bench", "config", "entries", "faults", "retry", "tools")
#: ``module:name`` -> because.
ALLOWED: Mapping[str, str] = {
    "entries/models/entry.py:EntryQuerySet.failed": "a condition of a queryset, read like a field",
}


@cache
def _exceptions() -> Collection[str]:
    return exception_names([parsed(path) for path in PATHS])


def test_functions_are_verbs_and_classes_are_nouns() -> None:
    found = [
        f"{path}:{definition.line}: {definition.qualified}: {problem}"
        for path in PATHS
        for definition in definitions(parsed(path), _exceptions())
        if (problem := problem_with(definition))
        and definition.qualified.rpartition(".")[2] not in OVERRIDES
        and f"{path}:{definition.qualified}" not in ALLOWED
    ]
    assert not found, f"{len(found)} names:\n" + "\n".join(found)


def test_modules_are_nouns() -> None:
    found = {*PATHS, *(folder for path in PATHS for folder in path.parents)}
    assert [f"{p}: {why}" for p in sorted(found) if (why := problem_with_module(p))] == []


def test_every_exception_to_the_law_is_used() -> None:
    refused = {
        (str(path), definition.qualified)
        for path in PATHS
        for definition in definitions(parsed(path), _exceptions())
        if problem_with(definition)
    }
    assert {qualified.rpartition(".")[2] for _, qualified in refused} >= OVERRIDES.keys()
    assert {f"{path}:{qualified}" for path, qualified in refused} >= ALLOWED.keys()


@pytest.mark.parametrize(
    "code",
    [
        "def told(): ...",
        "def _kept(found): ...",
        "def rows_found(): ...",
        "def listening(): ...",
        "async def items_of(x): ...",
        "class StandingHolding: ...",
        "class Distilled: ...",
        "class Bar:\n    @classmethod\n    def of(cls): ...",
        "def f():\n    def noting(): ...",
    ],
)
def test_a_name_is_refused(code: str) -> None:
    assert [d for d in definitions(ast.parse(code)) if problem_with(d)]


@pytest.mark.parametrize(
    "code",
    [
        "def find_failed(): ...",
        "def is_held(): ...",
        "def may_be_claimed(): ...",
        "def parse_feed(): ...",
        "def read_string(): ...",
        "class Hold:\n    @property\n    def lifted(self): ...",
        "class HoldLifted(Exception): ...",
        "class RedriveError(Exception): ...\nclass NotStarted(RedriveError): ...",
        "class Reading: ...",
        "class Feed: ...",
        "def offload(): ...",
    ],
)
def test_a_name_is_fine(code: str) -> None:
    assert not [d for d in definitions(ast.parse(code)) if problem_with(d)]


@pytest.mark.parametrize("name", ["rescanning.py", "x_of.py", "_serving.py"])
def test_a_module_is_refused(name: str) -> None:
    assert problem_with_module(Path(name))


@pytest.mark.parametrize("name", ["pacing.py", "feed.py", "strings.py", "__init__.py"])
def test_a_module_is_fine(name: str) -> None:
    assert not problem_with_module(Path(name))
