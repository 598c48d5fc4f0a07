"""Starting and ending processes so that none outlives whoever started it."""

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

# A signal and how many seconds it is given before the next, harsher one.
Steps = Sequence[tuple[signal.Signals, float]]


def die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """A `preexec_fn` after which the kernel signals the child when its starter dies.

    Linux only; elsewhere None, and the next start clears up what was left. "Starter" is the
    thread that forks: start servers from a thread that stays, such as the main one.
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
def signals_held() -> Iterator[None]:
    """Let signals wait until the end of the block.

    A handler that raises in the middle of Popen would leave a process that nobody knows of. Only
    the main thread handles signals, so in another one there is nothing to hold.
    """
    held: list[int] = []
    previous: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in PASSED_ON:
            handler = signal.getsignal(number)
            # What is ignored stays ignored, as a child inherits that and nothing else.
            if handler not in {signal.SIG_IGN, None}:
                previous[number] = signal.signal(number, lambda found, _: held.append(found))
    try:
        yield
    finally:
        for changed, handler in previous.items():
            signal.signal(changed, handler)
        for missed in held:
            signal.raise_signal(missed)


def arguments_of(pid: int) -> list[str]:
    """The command line of a process; empty when it is gone, a zombie, or not ours to read."""
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
