"""Where sockets go, and what is opened for PostgreSQL's own account."""

import os
import stat
import tempfile
from pathlib import Path

import pytest
from environs import Env

from tools.embedded import EmbeddedError, PostgresServer, RedisServer
from tools.embedded.accounts import Account, open_tree, open_way
from tools.embedded.sockets import LONGEST, make_socket_folder, socket_folder

# An account that no file here belongs to.
STRANGER = Account(uid=2**31 - 9, gid=2**31 - 9)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_short_path_keeps_its_socket_at_home() -> None:
    assert socket_folder(Path("/srv/redis"), "redis.sock") == Path("/srv/redis")


@pytest.mark.parametrize("home", [Path("/srv", "long" * 40), Path("/srv/a,b")])
def test_a_path_no_socket_can_have_gets_a_short_one(home: Path) -> None:
    folder = socket_folder(home, "redis.sock")
    assert len(os.fsencode(folder / "redis.sock")) <= LONGEST
    assert folder == socket_folder(home, "redis.sock")
    assert folder != socket_folder(home.with_name("other" * 40), "redis.sock")


def test_a_temporary_folder_too_long_itself_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/var/" + "long" * 40)
    assert socket_folder(Path("/srv", "long" * 40), "redis.sock").parent == Path("/tmp")  # noqa: S108


def test_a_socket_folder_is_closed_to_others(tmp_path: Path) -> None:
    folder = tmp_path / "sockets"
    folder.mkdir(mode=0o755)
    make_socket_folder(folder, os.geteuid())
    assert mode(folder) == 0o700


def test_a_link_in_the_place_of_a_socket_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "sockets").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(EmbeddedError, match="is not ours"):
        make_socket_folder(tmp_path / "sockets", os.geteuid())


def test_urls_survive_capitals_and_odd_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path("/srv/Some Folder%20#1")
    monkeypatch.setenv("DATABASE_URL", PostgresServer(home / "postgres").url)
    parsed = Env().dj_db_url("DATABASE_URL")
    assert (parsed["HOST"], parsed["NAME"]) == (f"{home}/postgres", "redrive")
    assert RedisServer(home / "redis").url == (
        "unix:///srv/Some%20Folder%2520%231/redis/redis.sock?db=0"
    )


def test_the_way_is_opened_for_passing_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    closed, own = tmp_path / "home", tmp_path / "home" / "own"
    own.mkdir(parents=True)
    for folder in (closed, own):
        folder.chmod(0o700)
    open_way(own / "postgres", STRANGER, own=own)
    assert (mode(closed), mode(own)) == (0o701, 0o701)
    said = capsys.readouterr().err
    assert str(closed) in said
    assert str(own) not in said


def test_a_way_that_is_open_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").mkdir()
    open_way(tmp_path / "x" / "y", STRANGER)
    before = [mode(folder) for folder in (tmp_path / "x" / "y").parents]
    capsys.readouterr()
    open_way(tmp_path / "x" / "y", STRANGER)
    assert [mode(folder) for folder in (tmp_path / "x" / "y").parents] == before
    assert capsys.readouterr().err == ""


def test_an_installation_made_under_a_strict_umask_becomes_readable(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(mode=0o700)
    tool, text = tmp_path / "bin" / "postgres", tmp_path / "bin" / "notes"
    tool.touch(mode=0o700)
    text.touch(mode=0o600)
    open_tree([tmp_path / "bin"], STRANGER)
    assert (mode(tmp_path / "bin"), mode(tool), mode(text)) == (0o705, 0o705, 0o604)
