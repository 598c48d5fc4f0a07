"""The examples in docs/kinds.md work as they stand."""

import io
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.management import call_command

from entries.errors import SourceError
from entries.models import Source
from entries.sources import registry as sources
from entries.sources.base import Invalid, SourceItem, SourceSpec
from entries.sources.sync.calls import build_spec
from tests.support.http import LocalServer

pytestmark = pytest.mark.usefixtures("own_registries")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "kinds.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


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
    run(BLOCKS[2], "example_addresses", monkeypatch)
    kind = sources.get("addresses")
    with LocalServer() as server:
        url = server.answer("/links", "# ours\nhttp://a.example/\n\nnonsense\n")
        assert list(kind.read(SourceSpec("links", url)).items) == [
            SourceItem("http://a.example/", "http://a.example/", {"url": "http://a.example/"}),
            Invalid("not an address", "line 4"),
        ]
        with pytest.raises(SourceError, match="the file is empty"):
            kind.read(SourceSpec("links", server.answer("/empty", "")))
        with pytest.raises(SourceError, match="HTTP 404"):
            kind.read(SourceSpec("links", server.url("/gone")))
    assert kind.problems_with(SourceSpec("links", url, {"depth": 1})) == ["unknown option depth"]


COMMANDS = re.findall(
    r"^    (manage\.py add_source .*(?:\n        .*)*)", PAGE.read_text(), re.MULTILINE
)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.split()[4])
@pytest.mark.django_db
def test_the_sources_in_the_examples(command: str, settings: Any, tmp_path: Path) -> None:
    settings.REDRIVE_SOURCE_DIRS = [str(tmp_path)]
    settings.REDRIVE_RQ_HOSTS = ["redis.shop.example:6379"]
    settings.REDRIVE_CELERY_HOSTS = ["db.shop.example:5432", "rabbit.shop.example:5671"]
    _, name, *arguments = shlex.split(command.replace("\\\n", " "))
    location = arguments[arguments.index("--location") + 1]
    if location.startswith("/srv/exports/"):
        (tmp_path / Path(location).name).write_text("id\n1\n")
        arguments = [word.replace("/srv/exports", str(tmp_path)) for word in arguments]
    call_command(name, *arguments, stdout=io.StringIO())
    source = Source.objects.get()
    assert sources.get(source.kind).problems_with(build_spec(source)) == []
    assert source.options


def test_every_kind_of_source_that_comes_along_is_in_the_table_and_has_an_example() -> None:
    ours = {
        name
        for name, kind in sources.all_kinds().items()
        if kind.__module__.startswith("entries.sources.")
    }
    assert {command.split()[4] for command in COMMANDS} == ours - {"feed"}
    assert ours <= set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE))
