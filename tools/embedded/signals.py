"""Passing signals on to the command, and making sure that it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import FrameType, TracebackType
from typing import Any, Self

from tools.embedded.orphans import adopt_orphans, end_orphans, find_living_children, wait_and_reap
from tools.embedded.processes import (
    PASSED_ON,
    Steps,
    die_with_parent,
    end,
    group_alive,
    hold_signals,
)
from tools.embedded.server import Server

# Seconds a command may take to end after a signal: enough for a supervisor that gives its own
# processes ten, one group after the other.
GRACE = 30

# For processes that the command left behind.
LEFTOVERS: Steps = ((signal.SIGTERM, 15.0), (signal.SIGKILL, 5.0))


def end_leftovers(group: int, *, known: set[int]) -> None:
    """End what an ended command left in its process group and outside it."""

    def group_lives() -> bool:
        find_living_children(known)  # Reaps zombies, which would still count as members.
        return group_alive(group)

    end(group_lives, lambda number: os.killpg(group, number), LEFTOVERS)
    end_orphans(known=known, steps=LEFTOVERS)


class Relay:
    """Handles signals while it is entered, in the main thread only.

    Before the command runs, a signal ends the preparation (SystemExit, code 128 + N). While it
    runs, its whole process group gets the signal. After `deafen`, signals are dropped.
    """

    def __init__(self) -> None:
        self._previous: dict[int, Any] = {}
        self._group: int | None = None
        self._deaf = False

    def __enter__(self) -> Self:
        for number in PASSED_ON:
            # Under nohup a closed terminal is no reason to end.
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
        """Run `command` and return its code as Popen has it; end everything it started.

        `servers` are children of ours that stay.
        """
        adopt_orphans()
        with hold_signals():
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
        # At a prompt, Ctrl-C cancels the input and does not mean to leave.
        if number != signal.SIGINT or not sys.stdin.isatty():
            signal.alarm(GRACE)

    def _time_is_up(self, _number: int, _frame: FrameType | None) -> None:
        self._pass_on(signal.SIGKILL)

    def _pass_on(self, number: int) -> None:
        if self._group is not None and group_alive(self._group):
            os.killpg(self._group, number)
