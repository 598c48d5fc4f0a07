"""Starting and ending processes so that none outlives whoever started it."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1

# A signal and how many seconds it is given before the next, harsher one.
Steps = Sequence[tuple[signal.Signals, float]]


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` after which the kernel signals the child when its starter dies.

    Linux only; elsewhere None, and the next start clears up what was left. "Starter" is the
    thread that forks: start servers from a thread that stays, such as the main one.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != parent:  # It died between the fork and the request.
            os.kill(os.getpid(), signal.SIGKILL)

    return ask_the_kernel


def arguments_of(pid: int) -> list[str]:
    """The command line of a process; empty when it is gone, a zombie, or not ours to read."""
    if sys.platform.startswith("linux"):
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
    """Send one signal after the other until `alive` says no; False when the last one failed too."""
    for number, patience in steps:
        try:
            send(number)
        except ProcessLookupError:
            return True
        if wait_until_gone(alive, patience):
            return True
    return not alive()


def wait_until_gone(alive: Callable[[], bool], patience: float) -> bool:
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
