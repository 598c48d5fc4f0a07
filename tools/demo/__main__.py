"""python -m tools.demo: run all of Redrive on this machine until Ctrl-C."""

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
from tools.demo.supervision import programs, supervise

# Set for the second call of this module, which runs inside tools.embedded.
INSIDE = "REDRIVE_DEMO_INSIDE"


def main() -> int:
    console = Console(highlight=False)
    try:
        options = Options.from_environment(os.environ)
        check_ports(options)
        if INSIDE not in os.environ:
            _restart_inside(options)
        _end_on_signals()
        return _run(options, console)
    except DemoError as error:
        message = Text.assemble(("The demo cannot run. ", "bold red"), str(error))
        console.print(message, soft_wrap=True)
        return 1


def _restart_inside(options: Options) -> NoReturn:
    """Become tools.embedded, which starts the servers and calls this module again."""
    os.environ[INSIDE] = "1"
    runner = ["-m", "tools.embedded", "--data", str(options.data), "--"]
    command = [sys.executable, *runner, sys.executable, "-m", "tools.demo"]
    os.execv(sys.executable, command)  # noqa: S606 - no shell is the point


def _run(options: Options, console: Console) -> int:
    env = django_environment(options, os.environ)
    steps = Steps(options, env, console)
    steps.prepare()
    names = [*programs(options), "supervisor"]
    # Created before supervisord writes its first line, and started after it was forked off:
    # a fork must not happen while threads run.
    with Follower(options.logs, names, console) as follower, supervise(options, env) as supervisor:
        follower.start()
        steps.wait_until_ready(lambda: supervisor.poll() is None)
        steps.fill()
        steps.make_token()
        welcome.show(options, console, entry_id=steps.find_failing_entry())
        supervisor.wait()
    raise DemoError(f"supervisord ended by itself; see {options.logs / 'supervisor.log'}.")


def _end_on_signals() -> None:
    """Turn signals into SystemExit, so that every `with` stops what it started."""

    def leave(_number: int, _frame: object) -> NoReturn:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # Once is enough.
        raise SystemExit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, leave)


if __name__ == "__main__":
    sys.exit(main())
