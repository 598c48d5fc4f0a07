"""The real processes of Redrive and its peers, and their peak memory."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from config.env import BASE_DIR

#: The children use the same servers, and the bench's own kind.
OWN = {
    "DJANGO_SETTINGS_MODULE": "config.settings_test",
    "REDRIVE_TEST_CHILD": "1",
    "REDRIVE_KIND_MODULES": "bench.kinds",
    "LOG_LEVEL": "WARNING",
}

#: Entries that a worker has under way at a time, of those that wait for another server.
CONCURRENCY = 100
#: For every process of a measurement: work may wait for a server on this machine.
WAITING = {
    "REDRIVE_ALLOWED_NETWORKS": "127.0.0.1/32",
    "REDRIVE_PAGE_CONCURRENCY": str(CONCURRENCY),
    "REDRIVE_PAGE_UPSTREAM_CONCURRENCY": str(CONCURRENCY),
    "REDRIVE_WEBHOOK_CONCURRENCY": str(CONCURRENCY),
    "REDRIVE_WEBHOOK_UPSTREAM_CONCURRENCY": str(CONCURRENCY),
}


class ProcessWatch:
    """Processes and their children; ``peak`` is the largest resident size of any, in bytes."""

    def __init__(self, processes: Sequence["subprocess.Popen[str]"]) -> None:
        self.processes = processes
        self.peak = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            for process in self.processes:
                for pid in [str(process.pid), *_children(process.pid)]:
                    self.peak = max(self.peak, peak_memory(pid))

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def run(
    *commands: Sequence[str | Path], env: Mapping[str, str] | None = None, ready: str | None = None
) -> Iterator[ProcessWatch]:
    """Run the commands inside the block. ``ready``: text to wait for in the output of each."""
    processes = [
        subprocess.Popen(
            [str(word) for word in command],
            cwd=BASE_DIR,
            env=os.environ | dict(env or {}),
            stdout=subprocess.PIPE if ready else subprocess.DEVNULL,
            stderr=None if os.environ.get("BENCH_VERBOSE") else subprocess.DEVNULL,
            text=True,
        )
        for command in commands
    ]
    watched = ProcessWatch(processes)
    try:
        for process in processes:
            _wait_until_ready(process, ready)
        yield watched
    finally:
        watched.stop()


def _wait_until_ready(process: "subprocess.Popen[str]", ready: str | None) -> None:
    if ready is None or process.stdout is None:
        return
    for line in process.stdout:
        if ready in line:
            return
    raise RuntimeError(f"{process.args!r} ended before it was ready")


def manage(*words: str) -> list[str]:
    return [sys.executable, "manage.py", *words]


def wait_until(condition: Callable[[], bool], *, seconds: float = 600, every: float = 0.05) -> None:
    """Wait for the condition; raise ``TimeoutError``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s")
        time.sleep(every)


def peak_memory(pid: str = "self") -> int:
    """Return the peak resident size of a process in bytes; 0 without /proc."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def _children(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return []
