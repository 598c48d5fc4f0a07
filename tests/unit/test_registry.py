"""Kinds and kinds of source find their way by being there."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from entries.checks import check_kinds, check_modules, check_networks, check_source_folders
from entries.errors import InvalidKind, UnknownKind, UnknownSourceKind
from entries.kinds import registry as kinds
from entries.kinds.base import AttemptData, EntryData, Kind
from entries.registry import import_modules
from entries.sources import registry as sources
from entries.sources.base import Reading, SourceKind, SourceSpec

pytestmark = pytest.mark.usefixtures("own_registries")


class Shout(Kind):
    name = "shout"
    description = "Says it louder."

    def process(self, entry: EntryData, attempt: AttemptData) -> Mapping[str, Any] | None:
        return {"said": entry.title.upper()}


class Silence(SourceKind):
    name = "silence"

    def read(self, spec: SourceSpec) -> Reading:
        return Reading(iter(()))


def test_the_own_ones_are_there() -> None:
    assert "page" in kinds.names()
    assert "feed" in sources.names()
    assert sorted(kinds.all_kinds()) == kinds.names()
    assert sorted(sources.all_kinds()) == sources.names()


@pytest.mark.parametrize(("registry", "cls"), [(kinds, Shout), (sources, Silence)])
def test_registering(registry: Any, cls: Any) -> None:
    assert registry.register(cls) is cls
    assert registry.register(cls) is cls
    assert isinstance(registry.get(cls.name), cls)
    assert registry.get(cls.name) is registry.get(cls.name)
    assert cls.name in registry.names()


@pytest.mark.parametrize(("registry", "cls"), [(kinds, Shout), (sources, Silence)])
def test_a_name_belongs_to_one_class(registry: Any, cls: Any) -> None:
    registry.register(cls)
    other = type("Other", (cls,), {})
    with pytest.raises(InvalidKind, match=rf"{cls.name!r} is taken by .*{cls.__qualname__}"):
        registry.register(other)


@pytest.mark.parametrize(("registry", "cls"), [(kinds, Shout), (sources, Silence)])
def test_an_invalid_class_is_refused_when_it_is_defined(registry: Any, cls: Any) -> None:
    with pytest.raises(InvalidKind, match="Broken: name must be"):
        registry.register(type("Broken", (cls,), {"name": "NO"}))
    with pytest.raises(InvalidKind, match="must be a subclass of"):
        registry.register(int)


def test_a_kind_of_source_must_be_able_to_read() -> None:
    class Deaf(SourceKind):
        name = "deaf"

    with pytest.raises(InvalidKind, match=r"read\(\) is missing"):
        sources.register(Deaf)


def test_an_unknown_name_says_what_there_is() -> None:
    with pytest.raises(UnknownKind, match=r"'nope'; registered: .*page"):
        kinds.get("nope")
    with pytest.raises(UnknownSourceKind, match=r"'nope'; registered: .*feed"):
        sources.get("nope")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    folder = tmp_path / "own_kinds_for_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "whisper.py").write_text(
        "from entries.kinds.base import Kind\n"
        "from entries.kinds.registry import register\n"
        "@register\n"
        "class Whisper(Kind):\n"
        "    name = 'whisper'\n"
        "    def process(self, entry, attempt):\n"
        "        return None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield folder.name
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_a_file_in_a_listed_package_is_all_it_takes(package: str) -> None:
    import_modules(package)
    assert kinds.get("whisper").time_limit == Kind.time_limit


def test_a_kind_may_run_checks_only_with_a_description(package: str) -> None:
    import_modules(package)
    assert [message.id for message in check_kinds()] == ["entries.W001"]


def test_the_checks_have_nothing_to_say_of_our_own() -> None:
    assert check_kinds() == []
    assert check_modules() == []


def test_the_checks_notice_what_became_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    kinds.register(Shout)
    sources.register(Silence)
    monkeypatch.setattr(Shout, "run_size", 0)
    monkeypatch.setattr(Silence, "name", "")
    assert [message.id for message in check_kinds()] == ["entries.E001", "entries.E002"]


def test_the_checks_notice_a_module_that_cannot_be_imported(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "there_for_test", ModuleType("there_for_test"))
    settings.REDRIVE_KIND_MODULES = ["there_for_test", "misspelt.kinds", ""]
    messages = check_modules()
    assert [message.id for message in messages] == ["entries.E003", "entries.E003"]
    assert "'misspelt.kinds'" in messages[0].msg


def test_the_checks_notice_a_network_that_is_none(settings: Any) -> None:
    settings.REDRIVE_ALLOWED_NETWORKS = ["10.0.0.0/8", "10.0.0.1/8", "intranet"]
    assert [message.id for message in check_networks()] == ["entries.E004"] * 2


def test_a_relative_folder_of_sources_is_an_error(settings: Any) -> None:
    settings.REDRIVE_SOURCE_DIRS = ["/srv/exports", "exports"]
    assert [message.id for message in check_source_folders()] == ["entries.E005"]
