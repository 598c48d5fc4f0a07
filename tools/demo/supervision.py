"""The demo's processes under supervisord, which restarts one that is killed."""

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
from tools.embedded.processes import Steps, die_with_parent, end, hold_signals

# supervisord gives all processes STOP_SECONDS at the same time, and then kills them.
STOP_SECONDS = 10
STOP_STEPS: Steps = ((signal.SIGTERM, STOP_SECONDS + 8.0), (signal.SIGKILL, 5.0))


def programs(options: Options) -> dict[str, list[str]]:
    """Return Python's arguments for each process, by its name."""
    bound = f"{HOST}:{options.port}"
    web = f"-m gunicorn --config config/gunicorn.py --bind {bound} config.wsgi:application"
    upstream = f"-m tools.demo.upstream --port {options.upstream_port} --entries {options.entries}"
    return {
        "web": [*web.split(), "--graceful-timeout", "5", "--log-level", "warning"],
        **{
            f"worker-{queue}": ["manage.py", "worker", queue, "--processes", str(count)]
            for queue, count in options.workers.items()
        },
        "dispatcher": ["manage.py", "dispatcher"],
        "mailbox": [
            *("-m", "tools.demo.mailbox", "--port", str(options.mailbox_port)),
            *("--folder", str(options.mails)),
        ],
        "upstream": [*upstream.split(), "--state", str(options.data / "upstream.json")],
    }


def configuration(options: Options) -> str:
    commands = programs(options)
    return "\n".join(
        [
            "[supervisord]",
            "nodaemon=true",
            "silent=true",  # Its log is shown like those of the others.
            f"logfile={_quote(options.logs / 'supervisor.log')}",
            f"pidfile={_quote(options.data / 'supervisord.pid')}",
            f"directory={_quote(ROOT)}",
            # Without the name of root supervisord warns at each start.
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
        f"command={_quote(shlex.join([sys.executable, *arguments]))}",
        f"directory={_quote(ROOT)}",
        f"stdout_logfile={_quote(options.logs / f'{name}.log')}",
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


def _quote(value: str | Path) -> str:
    """Escape %, which supervisord expands in every value."""
    return str(value).replace("%", "%%")


@contextmanager
def supervise(options: Options, env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run supervisord; leaving stops it and all of its processes."""
    file = options.data / "supervisord.conf"
    file.write_text(configuration(options))
    process: subprocess.Popen[bytes] | None = None
    try:
        with hold_signals():
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
