"""Which files a source may be read from."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from entries.errors import SourceError
from entries.sources import registry
from entries.sources.base import SourceSpec
from entries.sources.files.locations import open_file

ROW = '{"id": 1}\n'


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    inside = tmp_path / "inside"
    inside.mkdir()
    settings.REDRIVE_SOURCE_DIRS = [str(inside)]
    (tmp_path / "secret").write_text(ROW)
    return inside


def refused(location: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        open_file(str(location))
    return caught.value


def test_a_file_in_an_open_folder(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "a.jsonl").write_text(ROW)
    with open_file(str(folder / "deep" / "a.jsonl")) as file:
        assert file.read() == ROW.encode()


def test_a_link_within_is_followed(folder: Path) -> None:
    (folder / "a.jsonl").write_text(ROW)
    (folder / "today.jsonl").symlink_to("a.jsonl")
    with open_file(str(folder / "today.jsonl")) as file:
        assert file.read() == ROW.encode()


def _link(folder: Path) -> Path:
    (folder / "link").symlink_to(folder.parent / "secret")
    return folder / "link"


def _folder_link(folder: Path) -> Path:
    (folder / "up").symlink_to("..")
    return folder / "up" / "secret"


def _circle(folder: Path) -> Path:
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    return folder / "a"


@pytest.mark.parametrize(
    "escape",
    [
        lambda folder: folder.parent / "secret",
        lambda folder: folder.parent / "nothing there",
        lambda folder: f"{folder}/../secret",
        lambda folder: f"{folder}x/a",
        lambda folder: os.path.relpath(folder / "a.jsonl"),
        lambda folder: f"file://{folder}/a.jsonl",
        lambda folder: f"{folder}/a\0b",
        lambda _: "",
        lambda _: "/proc/self/environ",
        lambda _: "upload:../secret",
        lambda _: "upload:/etc/passwd",
        lambda _: "upload:" + "0" * 32 + "-a/../../b",
        lambda _: "upload:",
        _link,
        _folder_link,
        _circle,
    ],
)
def test_nothing_outside_is_opened(escape: Callable[[Path], object], folder: Path) -> None:
    assert refused(escape(folder)).code == "not_allowed"


def test_what_is_outside_is_not_even_told_from_what_is_nowhere(folder: Path) -> None:
    there = str(refused(folder.parent / "secret"))
    assert there.replace("secret", "nothing") == str(refused(folder.parent / "nothing"))


def test_without_a_folder_the_message_says_what_to_set(settings: Any, tmp_path: Path) -> None:
    settings.REDRIVE_SOURCE_DIRS = []
    (tmp_path / "a").write_text(ROW)
    error = refused(tmp_path / "a")
    assert error.code == "not_allowed"
    assert "REDRIVE_SOURCE_DIRS names those (now: none)" in str(error)


def test_what_is_no_file(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    assert refused(folder / "pipe").code == "not_a_file"
    assert refused(folder).code == "not_a_file"
    assert refused(folder / "missing").code == "not_found"
    assert refused(folder / ("x" * 300)).code == "unreadable"
    assert refused("upload:" + "0" * 32 + "-gone.csv").code == "not_found"


@pytest.mark.parametrize("kind", ["jsonlines", "csv", "xlsx"])
def test_problems_are_said_when_the_source_is_written_down(kind: str, folder: Path) -> None:
    problems = registry.get(kind).problems_with
    missing = str(folder / "missing")
    (folder / "there").write_text(ROW)
    assert problems(SourceSpec("s", str(folder / "there"))) == []
    assert problems(SourceSpec("s", missing)) == [f"there is no file {missing!r}"]
    assert problems(SourceSpec("s", str(folder / "there"), {"id_field": 1, "x": 2})) == [
        "option id_field: input should be a valid string",
        "unknown option x",
    ]
    with pytest.raises(SourceError) as caught:
        registry.get(kind).read(SourceSpec("s", str(folder / "there"), {"title_field": ""}))
    assert caught.value.code == "invalid_options"


@pytest.mark.parametrize("kind", ["jsonlines", "csv", "xlsx"])
def test_an_empty_file_is_an_error(kind: str, folder: Path) -> None:
    (folder / "empty").touch()
    with pytest.raises(SourceError) as caught:
        registry.get(kind).read(SourceSpec("s", str(folder / "empty")))
    assert (caught.value.code, str(caught.value)) == ("empty", "the file is empty")
