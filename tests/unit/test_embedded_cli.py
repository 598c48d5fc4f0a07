"""What the command line of tools.embedded makes of its arguments."""

from pathlib import Path

import pytest

from tools.embedded.__main__ import Request, parse


def test_everything_from_the_command_on_belongs_to_the_command() -> None:
    assert parse(["--data", "d", "pytest", "--data", "x", "--", "-q"]) == Request(
        ["pytest", "--data", "x", "--", "-q"], Path("d")
    )


def test_a_double_dash_before_the_command_is_dropped_once() -> None:
    assert parse(["--temporary", "--", "env", "--"]) == Request(["env", "--"], None)


@pytest.mark.parametrize(("variable", "folder"), [("/srv/x", "/srv/x"), ("", ".data")])
def test_the_folder_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, variable: str, folder: str
) -> None:
    monkeypatch.setenv("DATA_DIR", variable)
    assert parse(["true"]).folder == Path(folder)


def test_temporary_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA_DIR", "/srv/x")
    assert parse(["--temporary", "true"]).folder is None


@pytest.mark.parametrize("arguments", [[], ["--"], ["--temporary", "--data", "d", "true"]])
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert "usage: python -m tools.embedded" in capsys.readouterr().err
