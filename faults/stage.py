"""The servers and processes of a scenario: real ones, with the default settings."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from config.env import BASE_DIR
from faults import cluster, ledger
from tools.embedded import PostgresServer, RedisServer

T = TypeVar("T")


@dataclass(slots=True)
class Stage:
    folder: Path
    postgres: PostgresServer
    redis: RedisServer
    long: bool = False
    started: list["Process"] = field(default_factory=list)

    @property
    def ledger_path(self) -> Path:
        return Path(os.environ[ledger.VARIABLE])

    def read(self) -> ledger.Ledger:
        return ledger.Ledger.read(self.ledger_path)

    def start(self, *words: str, **environment: str) -> "Process":
        """Start ``manage.py`` with these words, in a process group of its own."""
        return self.run(sys.executable, "manage.py", *words, environment=environment)

    def run(
        self, *command: str, tree: Path = BASE_DIR, environment: Mapping[str, str] | None = None
    ) -> "Process":
        """Start a command in ``tree``, in a process group of its own."""
        name = "-".join(Path(word).name for word in command[1:])[:60]
        log = self.folder / f"{len(self.started):02}-{tree.name}-{name}.log"
        process = Process(command, log, environment or {}, tree=tree)
        self.started.append(process)
        return process

    def start_crew(self, *, default: int = 1, bulk: int = 2, **environment: str) -> list["Process"]:
        """Start a dispatcher and workers, and wait until the workers listen."""
        crew = [self.start("dispatcher", **environment)]
        crew += [self.start("worker", "default", **environment) for _ in range(default)]
        crew += [self.start("worker", "bulk", **environment) for _ in range(bulk)]
        for process in crew[1:]:
            process.wait_for("Listening on")
        return crew

    def end(self) -> None:
        for process in self.started:
            process.kill()


class Process:
    def __init__(
        self, command: Sequence[str], log: Path, environment: Mapping[str, str], *, tree: Path
    ) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                command,
                cwd=tree,
                env=os.environ | dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, text: str, *, seconds: float = 60) -> None:
        wait_until(lambda: text in self.log.read_text(errors="replace"), seconds=seconds, what=text)

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def find_horse(self) -> int | None:
        """Return the pid of its work-horse, if it has one."""
        with suppress(OSError, ValueError, IndexError):
            children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            return int(children.split()[0])
        return None

    def send_all(self, number: signal.Signals) -> None:
        """Signal it and its children, as a service manager signals a control group."""
        for pid in (self.find_horse(), self.pid):
            if pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def wait(self, *, seconds: float = 60) -> int:
        return self._process.wait(seconds)

    def kill(self) -> None:
        self.send_all(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(10)


def wait_until(condition: Callable[[], T], *, seconds: float = 60, what: str = "") -> float:
    """Wait until it is true; return the seconds it took. Raise ``TimeoutError``."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"not within {seconds:g} s: {what or condition}")
        time.sleep(0.05)
    return time.monotonic() - began


def find_ports(count: int) -> list[int]:
    """Return ports of 127.0.0.1 that are free now."""
    found = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in found]
    for each in found:
        each.close()
    return ports


@contextmanager
def prepare_stage(*, long: bool, migrated: Path | None = None) -> Iterator[Stage]:
    """Start a PostgreSQL and a Redis, and set Django up on them.

    ``migrated``: a folder of ``faults.cluster``, of which it is a copy; without, it migrates.
    """
    with tempfile.TemporaryDirectory(prefix="redrive-faults-") as name:
        folder = Path(name).resolve()
        postgres = PostgresServer(folder / "postgres", durable=False)
        redis = RedisServer(folder / "redis", durable=False)
        if migrated is not None:
            cluster.copy(migrated / "postgres", postgres.folder)
        os.environ[ledger.VARIABLE] = str(folder / "ledger")
        try:
            cluster.set_up(postgres, redis)
            if migrated is None:
                cluster.migrate()
            stage = Stage(folder, postgres, redis, long=long)
            try:
                yield stage
            finally:
                stage.end()
        finally:
            redis.stop()
            postgres.stop()
