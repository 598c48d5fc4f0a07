"""Processes that outlive the one that started them become ours, and end with us.

A command's process group does not hold all of what it started: supervisors and work-horses make
groups of their own. Where the kernel can (Linux), their orphans are handed to us instead of init.
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
    """From now on, whatever our descendants leave behind is our child. Linux only."""
    if ON_LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_and_reap(child: subprocess.Popen[bytes], *, poll_known: Callable[[], None]) -> int:
    """Wait for `child` and return its code; let adopted orphans that end meanwhile go in peace.

    `poll_known` is called when another one ended, and polls those whose owner wants their code.
    """
    while True:
        # Only a look: the code is for whoever started the process.
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if ended is None or ended.si_pid == child.pid:
            return child.wait()
        poll_known()
        _reap(ended.si_pid)


def end_orphans(*, known: AbstractSet[int], steps: Steps) -> None:
    """End every child of ours that is not `known`, and what those leave behind in turn."""
    for number, patience in steps:
        told: set[int] = set()
        deadline = time.monotonic() + patience
        while orphans := living_children(known):
            for pid in orphans - told:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            told |= orphans
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        else:
            return


def living_children(known: AbstractSet[int]) -> set[int]:
    """Our children but the `known`; those of them that have ended are reaped on the way."""
    living = set()
    for pid, state in _children():
        if pid not in known:
            if state == "Z":
                _reap(pid)
            else:
                living.add(pid)
    return living


def _children() -> Iterator[tuple[int, str]]:
    """The number and the state of each child; nothing where there is no /proc."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name, in brackets, may itself contain spaces and brackets.
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid():
                yield int(stat.parent.name), state


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
