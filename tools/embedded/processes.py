"""Starting and ending processes so that none outlives its starter."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ON_LINUX: bool = sys.platform == "linux"
PR_SET_PDEATHSIG = 1

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# A signal, and the seconds until the next, harsher one.
Steps = Sequence[tuple[signal.Signals, float]]


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` by which the kernel signals the child when its starter dies.

    Linux only; elsewhere None, and the next start cleans up. The starter is the thread that forks:
    start servers from a thread that stays, such as the main one.
    """
    if not ON_LINUX:
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # It died between the fork and the request.
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_the_kernel


@contextlib.contextmanager
def hold_signals() -> Iterator[None]:
    """Delay signals until the end of the block.

    A handler that raises in the middle of Popen would leave an unknown process. Only the main
    thread handles signals, so in another thread there is nothing to delay.
    """
    held: list[int] = []
    previous: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in PASSED_ON:
            handler = signal.getsignal(number)
            # Ignored signals stay ignored: a child inherits that.
            if handler not in {signal.SIG_IGN, None}:
                previous[number] = signal.signal(number, lambda found, _: held.append(found))
    try:
        yield
    finally:
        for changed, handler in previous.items():
            signal.signal(changed, handler)
        for missed in held:
            signal.raise_signal(missed)


def read_arguments(pid: int) -> list[str]:
    """Return a process's command line; empty when it is gone, a zombie or unreadable."""
    if ON_LINUX:
        try:
            raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return []
        return [os.fsdecode(part) for part in raw.split(b"\0") if part]
    shown = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.split()


def end(alive: Callable[[], bool], send: Callable[[signal.Signals], None], steps: Steps) -> bool:
    """Send one signal after the other until `alive` is false; return whether it is."""
    for number, patience in steps:
        try:
            send(number)
        except ProcessLookupError:
            return True
        if wait_for_end(alive, patience):
            return True
    return not alive()


def wait_for_end(alive: Callable[[], bool], patience: float) -> bool:
    deadline = time.monotonic() + patience
    while alive():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
