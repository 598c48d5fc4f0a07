"""The demo's processes, kept alive by supervisord: one that is killed comes back."""

import getpass
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tools.demo.options import HOST, ROOT, Options
from tools.embedded.processes import Steps, die_with_parent, end, signals_held

# supervisord gives each process STOP_SECONDS, the group of them at once, and kills it then.
STOP_SECONDS = 10
STOP_STEPS: Steps = ((signal.SIGTERM, STOP_SECONDS + 8.0), (signal.SIGKILL, 5.0))


def programs(options: Options) -> dict[str, list[str]]:
    """What Python is given for each process, by its name; run in the project's folder."""
    bound = f"{HOST}:{options.port}"
    web = f"-m gunicorn --config config/gunicorn.py --bind {bound} config.wsgi:application"
    upstream = f"-m tools.demo.upstream --port {options.upstream_port} --entries {options.entries}"
    return {
        "web": [*web.split(), "--graceful-timeout", "5", "--log-level", "warning"],
        "worker-default": ["manage.py", "worker", "default"],
        "worker-bulk": ["manage.py", "worker", "bulk"],
        "worker-sync": ["manage.py", "worker", "sync"],
        "dispatcher": ["manage.py", "dispatcher"],
        "upstream": [*upstream.split(), "--state", str(options.data / "upstream.json")],
    }


def configuration(options: Options) -> str:
    commands = programs(options)
    return "\n".join(
        [
            "[supervisord]",
            "nodaemon=true",
            "silent=true",  # What it says is read from its log, and shown like all the rest.
            f"logfile={_quoted(options.logs / 'supervisor.log')}",
            f"pidfile={_quoted(options.data / 'supervisord.pid')}",
            f"directory={_quoted(ROOT)}",
            # Root has to be named, or supervisord warns about it at each start.
            *([f"user={getpass.getuser()}"] if os.geteuid() == 0 else []),
            *(line for name in commands for line in _program(name, commands[name], options)),
            "[group:redrive]",  # One group, so that all of them stop at once.
            f"programs={','.join(commands)}",
            "",
        ]
    )


def _program(name: str, arguments: list[str], options: Options) -> list[str]:
    return [
        f"[program:{name}]",
        f"command={_quoted(shlex.join([sys.executable, *arguments]))}",
        f"directory={_quoted(ROOT)}",
        f"stdout_logfile={_quoted(options.logs / f'{name}.log')}",
        "stdout_logfile_maxbytes=5MB",
        "stdout_logfile_backups=1",
        "redirect_stderr=true",
        "autorestart=true",
        "startsecs=1",
        "startretries=10",
        f"stopwaitsecs={STOP_SECONDS}",
        "stopasgroup=true",
        "killasgroup=true",
    ]


def _quoted(value: str | Path) -> str:
    """supervisord expands % in every value."""
    return str(value).replace("%", "%%")


@contextmanager
def supervised(options: Options, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """supervisord, running; leaving stops it and all of its processes."""
    file = options.data / "supervisord.conf"
    file.write_text(configuration(options))
    process: subprocess.Popen[bytes] | None = None
    try:
        with signals_held():
            process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-n", "-c", str(file)],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 - no thread yet
            )
        yield process
    finally:
        if process is not None:
            started = process
            end(lambda: started.poll() is None, started.send_signal, STOP_STEPS)
