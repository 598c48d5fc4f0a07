"""Passing on to the command what the terminal or the system says, and making sure it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType, TracebackType
from typing import Any, Self

from tools.embedded.orphans import adopt_orphans, end_orphans, living_children, wait_and_reap
from tools.embedded.processes import (
    PASSED_ON,
    Steps,
    die_with_parent,
    end,
    group_alive,
    signals_held,
)
from tools.embedded.server import Server

# Seconds a command may wind up after it was told to end: enough for a supervisor that gives its
# own processes ten, one group after the other.
GRACE = 30

# For what the command left behind when it ended.
LEFTOVERS: Steps = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))


def end_leftovers(group: int, *, known: set[int]) -> None:
    """End what a command that has ended left in its process group, and outside of it."""

    def group_lives() -> bool:
        living_children(known)  # It reaps them, and a zombie still counts as a member.
        return group_alive(group)

    end(group_lives, lambda number: os.killpg(group, number), LEFTOVERS)
    end_orphans(known=known, steps=LEFTOVERS)


class Relay:
    """Takes the signals over while it is entered; the main thread only.

    Before the command runs, a signal ends the preparation (SystemExit, code 128 + N). While it
    runs, its whole process group gets the signal. Once `deafen` was called, it is dropped.
    """

    def __init__(self) -> None:
        self._previous: dict[int, Any] = {}
        self._group: int | None = None
        self._deaf = False

    def __enter__(self) -> Self:
        for number in PASSED_ON:
            # nohup means it: a closed terminal is no reason to end.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._receive)
        self._previous[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._time_is_up)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        signal.alarm(0)
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def deafen(self) -> None:
        self._deaf = True

    def run(
        self, command: Sequence[str], *, env: Mapping[str, str], servers: Sequence[Server]
    ) -> int:
        """Run to the end and return the code as Popen has it; all it started ends with it.

        `servers` are those of our children that have to stay.
        """
        adopt_orphans()
        with signals_held():
            # A session of its own: Ctrl-C reaches us alone, and the command through us, once.
            child = subprocess.Popen(
                command,
                env=env,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - one thread
            )
            self._group = child.pid

        def poll_servers() -> None:
            for server in servers:
                server.poll()

        code = wait_and_reap(child, poll_known=poll_servers)
        signal.alarm(0)
        self.deafen()
        end_leftovers(child.pid, known={server.pid for server in servers if server.pid})
        return code

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._deaf:
            return
        if self._group is None:
            self.deafen()
            raise SystemExit(128 + number)
        self._pass_on(number)
        # At a prompt, Ctrl-C is part of the conversation and no order to leave.
        if number != signal.SIGINT or not sys.stdin.isatty():
            signal.alarm(GRACE)

    def _time_is_up(self, _number: int, _frame: FrameType | None) -> None:
        self._pass_on(signal.SIGKILL)

    def _pass_on(self, number: int) -> None:
        if self._group is not None and group_alive(self._group):
            os.killpg(self._group, number)
