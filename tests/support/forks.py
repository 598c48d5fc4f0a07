"""Processes of ``manage.py`` without the start: forks of one that has imported everything.

That one is there for a command and an environment; it has read the settings and connected to
nothing. What is forked leads a session of its own, and runs ``manage.py`` as Python would have run
it. See docs/decisions/0206-tests-by-their-processor-time.md.

``python -m tests.support.forks DESCRIPTOR WORD…`` is that one; it ends when its starter does.
"""

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

#: Those that were not asked for longest end.
_MOST = 4
#: What is started often, and with few different arguments.
_COMMANDS = {"worker", "dispatcher"}
#: Coverage begins where Python does.
_POSSIBLE = sys.platform == "linux" and "COVERAGE_PROCESS_CONFIG" not in os.environ
_Key = tuple[str, ...]
_PARENTS: "OrderedDict[_Key, _Parent]" = OrderedDict()
_ENDING: list[subprocess.Popen[bytes]] = []


class Fork:
    """What is used of ``subprocess.Popen``, for a child of another process."""

    def __init__(self, args: Sequence[str], pid: int, report: socket.socket) -> None:
        self.args, self.pid = args, pid
        self.returncode: int | None = None
        self._report = report

    def poll(self) -> int | None:
        return self._read(0)

    def wait(self, timeout: float | None = None) -> int:
        """Raises ``subprocess.TimeoutExpired``."""
        code = self._read(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return code

    def _read(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._report], [], [], timeout)[0]:
            # Nothing: its parent is gone, and so is it.
            self.returncode = int(self._report.recv(64) or -signal.SIGKILL)
            self._report.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def is_forked(args: Sequence[str]) -> bool:
    return _POSSIBLE and args[:2] == [sys.executable, "manage.py"] and args[2] in _COMMANDS


def fork(
    args: Sequence[str], *, env: Mapping[str, str], cwd: Path, output: IO[bytes]
) -> Fork | None:
    """Start ``python manage.py`` with ``args``; None where even importing fails."""
    env = {name: value for name, value in env.items() if name != "PYTEST_CURRENT_TEST"}
    # Settings are read from both: which role a process has is told by its arguments.
    key = (str(cwd), *args, *(word for pair in sorted(env.items()) for word in pair))
    parent = _PARENTS.pop(key, None) or _Parent(args, env=env, cwd=cwd)
    found = parent.fork(args, output)
    if found is not None:
        _PARENTS[key] = parent
    while len(_PARENTS) > _MOST:
        _PARENTS.popitem(last=False)[1].end()
    return found


class _Parent:
    def __init__(self, words: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> None:
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forks", str(other.fileno()), *words],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[other.fileno()],
            )

    def fork(self, args: Sequence[str], output: IO[bytes]) -> Fork | None:
        mine, its = socket.socketpair()
        with its, suppress(OSError):
            request = json.dumps(list(args)).encode()
            socket.send_fds(self._control, [request], [output.fileno(), its.fileno()])
            if pid := self._control.recv(64):
                return Fork(args, int(pid), mine)
        mine.close()
        self.end()
        return None

    def end(self) -> None:
        """It ends when everything has that was forked."""
        self._control.close()
        _ENDING.append(self._process)
        _ENDING[:] = [process for process in _ENDING if process.poll() is None]


@atexit.register
def _end_all() -> None:
    while _PARENTS:
        _PARENTS.popitem()[1].end()
    for process in _ENDING:
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()


# What follows runs in the parent.


def _prepare(words: Sequence[str]) -> None:
    """Import what the command imports, as late as ``manage.py`` would."""
    sys.argv = ["manage.py", *words]
    sys.path[0] = str(Path.cwd())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    gc.disable()
    import django
    from django.core.management import get_commands, load_command_class

    django.setup()
    load_command_class(get_commands()[words[0]], words[0])
    gc.freeze()


def _serve(control: socket.socket) -> list[str]:
    """Fork for each request. Returns in what is forked, with its arguments."""
    reports: dict[int, socket.socket] = {}
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    asked: list[int] = [control.fileno()]
    while asked or reports:
        ready = select.select([*asked, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 4096)
            _report_ends(reports)
        if control.fileno() not in ready:
            continue
        request, descriptors, *_ = socket.recv_fds(control, 65536, 2)
        if not request:
            asked = []
            continue
        output, report = descriptors
        pid = os.fork()
        if pid == 0:
            for other in reports.values():
                other.detach()
            _become_leader(output, control)
            arguments: list[str] = json.loads(request)
            return arguments
        reports[pid] = socket.socket(fileno=report)
        os.close(output)
    sys.exit()


def _report_ends(reports: dict[int, socket.socket]) -> None:
    while reports:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with reports.pop(pid) as report:
            report.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become_leader(output: int, control: socket.socket) -> None:
    os.setsid()
    # Whoever asked may signal the whole group from now on.
    control.send(str(os.getpid()).encode())
    control.detach()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, 1024)


def main() -> None:
    descriptor, *words = sys.argv[1:]
    control = socket.socket(fileno=int(descriptor))
    _prepare(words)
    sys.argv[1:] = _serve(control)
    runpy.run_path("manage.py", run_name="__main__")


if __name__ == "__main__":
    main()
