"""The common part of both servers: one folder, one owner, one process, one socket."""

import contextlib
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from tools.embedded.errors import ServerFailedError
from tools.embedded.locks import FolderLock
from tools.embedded.processes import Steps, die_with_parent, end, hold_signals, read_arguments
from tools.embedded.sockets import socket_folder
from tools.embedded.terminal import tell

READY_WITHIN = 60.0


class Server(ABC):
    """One server process with its data in `folder`, which is made when it is missing.

    `durable=False` gives up durability for speed, for data that may be lost. Not thread-safe; start
    it from a thread that outlives it (see `die_with_parent`).
    """

    name: ClassVar[str]
    socket_name: ClassVar[str]
    stop_steps: ClassVar[Steps]

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        # Resolved, because a leftover server is recognised by the folder on its command line.
        self.folder = folder.resolve()
        self.durable = durable
        self.log = self.folder.with_name(f"{self.folder.name}.log")
        self._lock = FolderLock(self.folder)
        self._log_start = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        return socket_folder(self.folder, self.socket_name) / self.socket_name

    @property
    @abstractmethod
    def url(self) -> str:
        """The URL, known before the start and the same after each."""

    @property
    @abstractmethod
    def pid_file(self) -> Path: ...

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether a client that connects to `url` now would be served."""

    def _accepts(self) -> bool:
        """Tell whether the start is over; the first start may still have to set something up."""
        return self.answers()

    @abstractmethod
    def _launch(self) -> None:
        """Prepare the folder, start the process and return when it answers."""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.running else None

    def poll(self) -> None:
        """Report once that it ended without being stopped."""
        if self._process is not None and not self.running:
            tell(f"{self.name} ended by itself; see {self.log}.")
            self._process = None

    def start(self) -> None:
        """Start it and return when it answers.

        Stops a server that an earlier owner left in this folder first. Raises FolderInUseError, or
        ServerFailedError with the end of the log.
        """
        if self.running:
            return
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        try:
            self.stop_leftover()
            self._launch()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Shut it down, by force when that takes too long. Harmless when it is not running."""
        process = self._process
        if process is not None:
            end(lambda: process.poll() is None, process.send_signal, self.stop_steps)
            self._process = None
            if self.socket.parent != self.folder:
                with contextlib.suppress(OSError):  # Not empty: it was killed and left its socket.
                    self.socket.parent.rmdir()
        self._lock.release()

    def kill(self) -> None:
        """End it as a crash would: its socket and pid file stay behind."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._lock.release()

    def restart(self) -> None:
        self.stop()
        self.start()

    def stop_leftover(self) -> None:
        """Stop the server of an owner that was killed. Call it only while holding the lock, when no
        living process owns what runs in the folder."""
        pid = self._read_pid()
        if pid is not None and self._is_ours(pid):
            end(lambda: self._is_ours(pid), lambda number: os.kill(pid, number), self.stop_steps)
        # A number that now belongs to another process would keep the server from starting.
        self.pid_file.unlink(missing_ok=True)

    def _read_pid(self) -> int | None:
        try:
            first_line = self.pid_file.read_text().split("\n", 1)[0]
            return int(first_line)
        except (FileNotFoundError, ValueError):
            return None

    def _is_ours(self, pid: int) -> bool:
        return str(self.folder) in read_arguments(pid)

    def _run(
        self, command: list[str], *, env: Mapping[str, str], user: int | None, group: int | None
    ) -> None:
        """Start the process and return when it answers, or raise ServerFailedError."""
        # Its own session: Ctrl-C at the terminal reaches the command alone, which still needs the
        # servers while it shuts down.
        with self.log.open("ab") as log, hold_signals():
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=env,
                user=user,
                group=group,
                extra_groups=None if user is None else [],
                start_new_session=True,
                preexec_fn=die_with_parent(self.stop_steps[0][0]),  # noqa: PLW1509
            )
        self._wait_until_ready(self._process)

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not self._accepts():
            if process.poll() is not None:
                raise self._failure(f"ended at its start with code {process.returncode}")
            if time.monotonic() > deadline:
                raise self._failure(f"did not answer within {READY_WITHIN:.0f} seconds")
            time.sleep(0.02)

    def _failure(self, what: str) -> ServerFailedError:
        return ServerFailedError(f"{self.name} {what}. The end of {self.log}:\n{self._log_tail()}")

    def _log_tail(self) -> str:
        """Return the last lines since this start; earlier ones explain earlier failures."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            text = log.read().decode(errors="replace")
        return "\n".join(text.splitlines()[-15:])


TERMINATE_THEN_KILL: Steps = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
