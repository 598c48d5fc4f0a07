"""Adopting processes that outlive their starter, and ending them.

A command's process group does not contain everything it started: supervisors and work-horses make
groups of their own. On Linux the kernel can make their orphans our children instead of init's.
"""

import contextlib
import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from tools.embedded.processes import ON_LINUX, Steps

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Make orphans among our descendants our own children from now on. Linux only."""
    if ON_LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_and_reap(child: subprocess.Popen[bytes], *, poll_known: Callable[[], None]) -> int:
    """Wait for `child` and return its code; reap adopted orphans that end meanwhile.

    Calls `poll_known` when another child has ended, for owners who want its exit code. Where
    nothing is adopted, which is also where there may be no `waitid`, every half second.
    """
    while not ON_LINUX:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(timeout=0.5)
        poll_known()
    while True:
        # Only a look: the exit code belongs to the code that started the process.
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended is None or ended.si_pid == child.pid:
            return child.wait()
        poll_known()
        _reap(ended.si_pid)


def end_orphans(*, known: AbstractSet[int], steps: Steps) -> None:
    """End all our children except the `known`, and then their orphans."""
    for number, patience in steps:
        signalled: set[int] = set()
        deadline = time.monotonic() + patience
        while orphans := find_living_children(known):
            for pid in orphans - signalled:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            signalled |= orphans
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return


def find_living_children(known: AbstractSet[int]) -> set[int]:
    """Return our children except the `known`; reap those that have ended."""
    living = set()
    for pid, state in _children():
        if pid not in known:
            if state == "Z":
                _reap(pid)
            else:
                living.add(pid)
    return living


def _children() -> Iterator[tuple[int, str]]:
    """Yield the pid and the state of each child; nothing where there is no /proc."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in brackets, may itself contain spaces and brackets.
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid():
                yield int(stat.parent.name), state


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
