"""Servers and processes of a test's own, for tests that stop, kill and starve them.

The servers that the whole test run shares are never touched here.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Self, TypeVar

from tests.support import forks
from tools.embedded import PostgresServer, RedisServer

ROOT = Path(__file__).resolve().parents[2]

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, timeout: float = 10.0, what: str = "") -> T:
    """Ask until the answer is truthy and return it; AssertionError when time runs out first."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            named = what or getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"not within {timeout:g} s: {named} (last answer: {answer!r})")
        time.sleep(0.02)


class Spawned:
    """A subprocess that leads its own process group; its output goes to a file, so it never
    blocks on a full pipe."""

    def __init__(
        self, *args: str | Path, env: Mapping[str, str | None] | None = None, cwd: Path = ROOT
    ) -> None:
        self.args = [str(arg) for arg in args]
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__
        self.process = self._start(cwd, _environment(env or {}))

    def _start(self, cwd: Path, env: Mapping[str, str]) -> "subprocess.Popen[bytes] | forks.Fork":
        if forks.is_forked(self.args):
            found = forks.fork(self.args[2:], env=env, cwd=cwd, output=self._output)
            if found is not None:
                return found
        return subprocess.Popen(
            self.args,
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Ask first: what ends by itself can still say what of it was covered."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.kill()
        self._output.close()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def output(self) -> str:
        """All it wrote so far, both streams in the order written."""
        size = os.fstat(self._output.fileno()).st_size
        return os.pread(self._output.fileno(), size, 0).decode(errors="replace")

    def send(self, number: signal.Signals) -> None:
        """To the process alone, not to its group."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL to the whole process group, as when a machine takes it away."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def wait(self, timeout: float = 30.0) -> int:
        """Its exit code; with its output in the error when it does not end."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise AssertionError(f"{self.args} still runs. Output:\n{self.output}") from error

    def wait_for_output(self, text: str, timeout: float = 30.0) -> str:
        """Everything written up to the moment when `text` was in it."""

        def written() -> bool:
            if text in self.output:
                return True
            assert self.running, f"{self.args} ended without {text!r}. Output:\n{self.output}"
            return False

        wait_until(written, timeout=timeout, what=f"{text!r} in the output of {self.args}")
        return self.output


def spawn(
    *args: str | Path, env: Mapping[str, str | None] | None = None, cwd: Path = ROOT
) -> Spawned:
    """Start a subprocess; use it as a context manager, so that it is killed at the end.

    `env` is laid over this process's environment; None removes a variable.
    """
    return Spawned(*args, env=env, cwd=cwd)


@contextlib.contextmanager
def private_folder() -> Iterator[Path]:
    """For servers, instead of tmp_path: pytest closes its folders to the account that PostgreSQL
    has to run under when the tests are root's."""
    with tempfile.TemporaryDirectory(prefix="redrive-test-") as folder:
        yield Path(folder).resolve()


@contextlib.contextmanager
def private_redis() -> Iterator[RedisServer]:
    """A Redis that the test may stop, kill and start again: empty each time, on the same URL."""
    with private_folder() as folder:
        server = RedisServer(folder / "redis", durable=False)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def private_postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that the test may stop and restart, with an empty database `redrive`."""
    with private_folder() as folder:
        server = PostgresServer(folder / "postgres", durable=False)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def process_exists(pid: int) -> bool:
    """False for a zombie as well: nothing of it runs any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def _environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    merged: dict[str, str | None] = {**os.environ, **changes}
    return {key: value for key, value in merged.items() if value is not None}
