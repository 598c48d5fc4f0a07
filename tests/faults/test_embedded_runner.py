"""python -m tools.embedded leaves nothing behind, whoever is killed and however."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.servers import (
    Spawned,
    private_folder,
    private_redis,
    process_exists,
    spawn,
    wait_until,
)
from tools.embedded import temporary

UNSET: dict[str, str | None] = {"DATABASE_URL": None, "REDIS_URL": None, "DATA_DIR": None}

# Says where its servers are and waits; `trap` decides what it makes of a signal.
WAITING = """
import os, signal, sys, time
{trap}
print("ready", os.getpid(), flush=True)
while True:
    time.sleep(60)
"""
STUBBORN = "for n in (signal.SIGINT, signal.SIGTERM): signal.signal(n, signal.SIG_IGN)"
POLITE = "signal.signal(signal.SIG{}, lambda *_: (print('told', flush=True), sys.exit(3)))"

IMPATIENT = """
import sys
from tools.embedded import signals
from tools.embedded.__main__ import main
signals.GRACE = 1
sys.exit(main())
"""


@contextmanager
def embedded(
    *arguments: str | Path, tmp: Path, launcher: tuple[str, ...] = ("-m", "tools.embedded")
) -> Iterator[Spawned]:
    env = {**UNSET, "TMPDIR": str(tmp)}
    with spawn(sys.executable, *launcher, *arguments, env=env) as runner:
        yield runner


def server_pids(home: Path) -> list[int]:
    files = (home / "postgres" / "postmaster.pid", home / "redis" / "redis.pid")
    return [int(file.read_text().split()[0]) for file in files]


def waiting_command(runner: Spawned) -> int:
    """The pid of the WAITING command, once it says that it is ready."""
    return int(runner.wait_for_output("ready ").partition("ready ")[2].split()[0])


@pytest.fixture
def tmp() -> Iterator[Path]:
    with private_folder() as folder:
        yield folder


def test_the_command_gets_both_urls_and_gives_its_exit_code(tmp: Path) -> None:
    script = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL']); exit(7)"
    with embedded("--temporary", "--", sys.executable, "-c", script, tmp=tmp) as runner:
        assert runner.wait() == 7
        assert "postgresql://postgres@%2F" in runner.output
        assert "unix:///" in runner.output
    assert list(tmp.iterdir()) == []


def test_a_missing_command_is_named(tmp: Path) -> None:
    with embedded("--temporary", "no-such-command", tmp=tmp) as runner:
        assert runner.wait() == 1
        assert "tools.embedded: no-such-command: no such command" in runner.output
    assert list(tmp.iterdir()) == []


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_signal_reaches_the_command_and_the_servers_stop_after_it(tmp: Path, name: str) -> None:
    script = WAITING.format(trap=POLITE.format(name))
    with embedded("--data", tmp / "d", sys.executable, "-c", script, tmp=tmp) as runner:
        waiting_command(runner)
        servers = server_pids(tmp / "d")
        runner.send(signal.Signals[f"SIG{name}"])
        assert runner.wait() == 3
        assert runner.output.count("told") == 1
    assert not any(process_exists(pid) for pid in servers)


def test_a_command_that_does_not_end_is_killed_in_the_end(tmp: Path) -> None:
    script = WAITING.format(trap=STUBBORN)
    with embedded(
        "--data", tmp / "d", sys.executable, "-c", script, tmp=tmp, launcher=("-c", IMPATIENT)
    ) as runner:
        waiting_command(runner)
        servers = server_pids(tmp / "d")
        runner.send(signal.SIGTERM)
        assert runner.wait() == 128 + signal.SIGKILL
    assert not any(process_exists(pid) for pid in servers)


def test_a_killed_command_takes_its_servers_and_its_own_children_along(tmp: Path) -> None:
    trap = "import subprocess; print('child', subprocess.Popen(['sleep', '60']).pid)"
    script = WAITING.format(trap=trap)
    with embedded("--data", tmp / "d", sys.executable, "-c", script, tmp=tmp) as runner:
        command = waiting_command(runner)
        child = int(runner.output.partition("child ")[2].split()[0])
        servers = server_pids(tmp / "d")
        os.kill(command, signal.SIGKILL)
        assert runner.wait() == 128 + signal.SIGKILL
    assert not any(process_exists(pid) for pid in [*servers, child])


def test_a_signal_during_the_start_ends_the_start(tmp: Path) -> None:
    with embedded("--data", tmp / "d", "sleep", "60", tmp=tmp) as runner:
        wait_until((tmp / "d" / "postgres.log").exists)
        runner.send(signal.SIGTERM)
        assert runner.wait() == 128 + signal.SIGTERM
    assert not (tmp / "d" / "postgres" / "postmaster.pid").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the kernel's help")
def test_servers_and_command_end_with_a_killed_runner(tmp: Path) -> None:
    script = WAITING.format(trap="")
    with embedded("--data", tmp / "d", sys.executable, "-c", script, tmp=tmp) as runner:
        pids = [waiting_command(runner), *server_pids(tmp / "d")]
        runner.send(signal.SIGKILL)
        runner.wait()
        wait_until(lambda: not any(process_exists(pid) for pid in pids))


def test_data_are_found_again(tmp: Path) -> None:
    connect = "import os, psycopg; c = psycopg.connect(os.environ['DATABASE_URL']); c.execute({!r})"
    for statement in ("CREATE TABLE kept (); COMMIT", "SELECT FROM kept"):
        script = connect.format(statement)
        with embedded("--data", tmp / "d", sys.executable, "-c", script, tmp=tmp) as runner:
            assert runner.wait() == 0, runner.output


def test_a_given_server_is_used_and_left_alone(tmp: Path) -> None:
    script = "import os; print(os.environ['REDIS_URL'])"
    with private_redis() as given:
        env = {**UNSET, "REDIS_URL": given.url, "TMPDIR": str(tmp)}
        command = (sys.executable, "-m", "tools.embedded", "--data", tmp / "d")
        with spawn(*command, sys.executable, "-c", script, env=env) as runner:
            assert runner.wait() == 0
            assert given.url in runner.output
        assert given.running
    assert not (tmp / "d" / "redis").exists()


def test_a_second_command_shares_the_servers_of_the_first(tmp: Path) -> None:
    script = WAITING.format(trap=POLITE.format("TERM"))
    with embedded("--data", tmp / "d", sys.executable, "-c", script, tmp=tmp) as first:
        waiting_command(first)
        servers = server_pids(tmp / "d")
        with embedded("--data", tmp / "d", "true", tmp=tmp) as second:
            assert second.wait() == 0
            assert second.output.count("shared with a running command") == 2
        assert server_pids(tmp / "d") == servers
        assert all(process_exists(pid) for pid in servers)
        first.send(signal.SIGTERM)
        assert first.wait() == 3


def test_the_folder_of_a_killed_temporary_run_is_swept(tmp: Path) -> None:
    with embedded("--temporary", sys.executable, "-c", WAITING.format(trap=""), tmp=tmp) as runner:
        waiting_command(runner)
        (left,) = tmp.glob(f"{temporary.PREFIX}*")
        long_ago = time.time() - 2 * temporary.SETTLED_AFTER
        os.utime(left, (long_ago, long_ago))
        assert temporary.sweep(tmp) == [], "it is in use"
        runner.send(signal.SIGKILL)
        runner.wait()
    os.utime(left, (long_ago, long_ago))
    wait_until(lambda: temporary.sweep(tmp) == [left])
    assert not left.exists()


def test_a_young_folder_is_not_swept(tmp: Path) -> None:
    young = tmp / f"{temporary.PREFIX}young"
    young.mkdir()
    assert temporary.sweep(tmp) == []
    shutil.rmtree(young)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the kernel's help")
def test_an_orphan_in_a_session_of_its_own_ends_too(tmp: Path) -> None:
    setup = (
        "import subprocess; "
        "print('orphan', subprocess.Popen(['sleep', '60'], start_new_session=True).pid)"
    )
    script = WAITING.format(trap=setup)
    with embedded("--data", tmp / "d", sys.executable, "-c", script, tmp=tmp) as runner:
        command = waiting_command(runner)
        orphan = int(runner.output.partition("orphan ")[2].split()[0])
        os.kill(command, signal.SIGKILL)
        assert runner.wait() == 128 + signal.SIGKILL
    assert not process_exists(orphan)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs the kernel's help")
def test_an_orphan_that_ends_meanwhile_leaves_no_zombie(tmp: Path) -> None:
    middle = "import subprocess; print('orphan', subprocess.Popen(['sleep', '0.3']).pid)"
    setup = f"import subprocess; subprocess.run([sys.executable, '-c', {middle!r}])"
    script = WAITING.format(trap=setup)
    with embedded("--data", tmp / "d", sys.executable, "-c", script, tmp=tmp) as runner:
        waiting_command(runner)
        orphan = int(runner.output.partition("orphan ")[2].split()[0])
        wait_until(lambda: not Path(f"/proc/{orphan}").exists())


def test_a_server_that_ends_by_itself_is_reported(tmp: Path) -> None:
    script = WAITING.format(trap="")
    with embedded("--data", tmp / "d", sys.executable, "-c", script, tmp=tmp) as runner:
        waiting_command(runner)
        os.kill(server_pids(tmp / "d")[1], signal.SIGKILL)
        assert "see" in runner.wait_for_output("Redis ended by itself")
        runner.send(signal.SIGTERM)
        assert runner.wait() == 128 + signal.SIGTERM
