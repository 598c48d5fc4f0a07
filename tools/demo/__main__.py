"""python -m tools.demo: everything there is, on this machine, until Ctrl-C."""

import os
import signal
import sys
from typing import NoReturn

from rich.console import Console
from rich.text import Text

from tools.demo import welcome
from tools.demo.options import DemoError, Options, check_ports, django_environment
from tools.demo.output import Follower
from tools.demo.steps import Steps
from tools.demo.supervision import programs, supervised

# Set for the second call of this module, which runs with the servers around it.
INSIDE = "REDRIVE_DEMO_INSIDE"


def main() -> int:
    console = Console(highlight=False)
    try:
        options = Options.from_environment(os.environ)
        check_ports(options)
        if INSIDE not in os.environ:
            _go_inside(options)
        _end_on_signals()
        return _run(options, console)
    except DemoError as error:
        shown = Text.assemble(("The demo cannot run. ", "bold red"), str(error))
        console.print(shown, soft_wrap=True)
        return 1


def _go_inside(options: Options) -> NoReturn:
    """Become the runner of tools.embedded, which calls us again."""
    os.environ[INSIDE] = "1"
    runner = ["-m", "tools.embedded", "--data", str(options.data), "--"]
    command = [sys.executable, *runner, sys.executable, "-m", "tools.demo"]
    os.execv(sys.executable, command)  # noqa: S606 - no shell is the point


def _run(options: Options, console: Console) -> int:
    env = django_environment(options, os.environ)
    steps = Steps(options, env, console)
    steps.prepare()
    names = [*programs(options), "supervisor"]
    # Made before supervisord writes its first line, and started after it was forked off, as a
    # fork and threads do not go together.
    with Follower(options.logs, names, console) as follower, supervised(options, env) as supervisor:
        follower.start()
        steps.wait_until_ready(lambda: supervisor.poll() is None)
        steps.token()
        steps.fill()
        welcome.show(options, console, entry_id=steps.failing_entry())
        supervisor.wait()
    raise DemoError(f"supervisord ended by itself; see {options.logs / 'supervisor.log'}.")


def _end_on_signals() -> None:
    """Leave through the front door: every `with` on the way stops what it started."""

    def leave(_number: int, _frame: object) -> NoReturn:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # Once is enough; what follows is bounded.
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


if __name__ == "__main__":
    sys.exit(main())
