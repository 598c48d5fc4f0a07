"""The examples in docs/kinds.md work as they stand."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from entries.errors import SourceError
from entries.kinds import registry as kinds
from entries.sources import registry as sources
from entries.sources.base import SourceItem, SourceSpec
from tests.support.http import LocalServer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kinds.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(autouse=True)
def own_registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for registry in (kinds, sources):
        monkeypatch.setattr(registry, "_classes", dict(registry._classes))
    yield
    kinds.instance_of.cache_clear()
    sources._instance_of.cache_clear()


def run(block: str, name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    exec(compile(block, f"{PAGE.name}:{name}", "exec"), module.__dict__)  # noqa: S102
    return module


def test_the_kind_and_its_test(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, its_test, _ = BLOCKS
    run(kind, "example_invoice", monkeypatch)
    tests = [
        action
        for name, action in vars(run(its_test, "example_test", monkeypatch)).items()
        if name.startswith("test_")
    ]
    assert len(tests) == 2
    for action in tests:
        action(settings)


def test_the_kind_of_source(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = True
    run(BLOCKS[2], "example_csv", monkeypatch)
    kind = sources.get("csv")
    with LocalServer() as server:
        url = server.answer("/rows", "id,title\n1,One\n2,\n")
        reading = kind.read(SourceSpec("rows", url))
        assert list(reading.items) == [
            SourceItem("1", "One", {"id": "1", "title": "One"}),
            SourceItem("2", "2", {"id": "2", "title": ""}),
        ]
        with pytest.raises(SourceError, match='no column "id"'):
            kind.read(SourceSpec("rows", server.answer("/other", "a,b\n1,2\n")))
        with pytest.raises(SourceError, match="HTTP 404"):
            kind.read(SourceSpec("rows", server.url("/gone")))
    assert kind.problems_with(SourceSpec("rows", url, {"depth": 1})) == ["unknown option depth"]
