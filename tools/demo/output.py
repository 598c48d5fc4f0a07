"""The log files of the demo's processes on the terminal, each line with its process's name."""

import os
import re
import threading
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from rich.console import Console
from rich.text import Text

STYLES = ("cyan", "green", "magenta", "yellow", "blue", "red")
LOOK_EVERY = 0.2

# Lines for each entry or each job would push all else off the screen; the log files have them.
TOO_MUCH = re.compile(r"\[info +\] (entry\.\w+ |.*\[rq\.worker\]$)|Set uid to user 0")


class LogFile:
    """The lines added to a file from now on, also after a rotation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[bytes] | None = None
        self._rest = b""
        if path.exists():
            self._file = path.open("rb")
            self._file.seek(0, 2)

    def new_lines(self) -> Iterator[str]:
        """Yield complete lines; an unfinished one waits for its end."""
        yield from self._read()
        if self._was_rotated():
            if self._file is not None:
                self._file.close()
            self._file = self.path.open("rb")
            yield from self._read()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _read(self) -> Iterator[str]:
        if self._file is not None:
            *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")

    def _was_rotated(self) -> bool:
        try:
            now = self.path.stat()
        except FileNotFoundError:
            return False
        if self._file is None:
            return True
        return now.st_ino != os.fstat(self._file.fileno()).st_ino


class Follower:
    """Prints lines added since it was created, from `start` on; leaving prints the rest."""

    def __init__(self, logs: Path, names: Iterable[str], console: Console) -> None:
        self._files = {name: LogFile(logs / f"{name}.log") for name in names}
        self._width = max(map(len, self._files))
        self._console = console
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="log-follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for file in self._files.values():
            file.close()

    def _follow(self) -> None:
        while not self._stop.wait(LOOK_EVERY):
            self._print_new()
        self._print_new()

    def _print_new(self) -> None:
        for (name, file), style in zip(self._files.items(), cycle(STYLES), strict=False):
            for line in file.new_lines():
                if TOO_MUCH.search(line):
                    continue
                text = Text.assemble((f"{name:>{self._width}} │ ", style), line)
                self._console.print(text, soft_wrap=True, highlight=False)
