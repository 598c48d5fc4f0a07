"""The demo's options, from its environment, and the environment it gives Django."""

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
#: Name and password of the first account.
USER = "admin"


class DemoError(Exception):
    """The demo cannot continue. The text is for the person at the terminal."""


@dataclass(frozen=True, kw_only=True)
class Options:
    port: int
    entries: int
    data: Path

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read the options. Raises DemoError that names an invalid variable."""
        return cls(
            port=_number(environ, "PORT", default=8000, limits=(1, 65533)),
            entries=_number(environ, "DEMO_ENTRIES", default=500, limits=(1, 100_000)),
            data=Path(environ.get("DATA_DIR") or ".data").resolve(),
        )

    @property
    def upstream_port(self) -> int:
        return self.port + 1

    @property
    def mailbox_port(self) -> int:
        return self.port + 2

    @property
    def mailbox(self) -> str:
        return f"http://{HOST}:{self.mailbox_port}"

    @property
    def mails(self) -> Path:
        return self.data / "mails"

    @property
    def site(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def upstream(self) -> str:
        return f"http://{HOST}:{self.upstream_port}"

    @property
    def workers(self) -> dict[str, int]:
        """How many workers each queue gets on this machine.

        Many pages of the upstream hang, so the queue for them has two even on one core.
        """
        cores = count_cores()
        return {"default": min(cores, 2), "bulk": min(max(cores, 2), 8), "sync": 1}

    @property
    def logs(self) -> Path:
        return self.data / "logs"

    @property
    def token_file(self) -> Path:
        return self.data / "demo_token"


def count_cores() -> int:
    """Return how many cores this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_ports(options: Options) -> None:
    """Raise DemoError when a port is taken; called before anything is started."""
    for port in (options.port, options.upstream_port, options.mailbox_port):
        with socket.socket() as probe:
            # As the servers do: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise DemoError(
                    f"Port {port} is taken ({error.strerror}). The demo needs {options.port} to "
                    f"{options.mailbox_port}; choose others with: make demo PORT=9000"
                ) from error


def django_environment(options: Options, environ: Mapping[str, str]) -> dict[str, str]:
    """Build the environment of the demo's processes; most existing variables win."""
    return {
        "REDRIVE_PAGE_TIME_LIMIT": "3",
        "REDRIVE_ALLOW_PRIVATE_ADDRESSES": "true",  # The upstream is on this machine.
        # Only an operation on nearly everything awaits a second person.
        "REDRIVE_APPROVAL_ABOVE": str(max(options.entries * 4 // 5, 1)),
        "SECRET_KEY": load_secret(options.data / "secret_key"),
        "ALLOWED_HOSTS": f"{HOST},localhost",
        # Notices: mails become files, which the mailbox shows; in a demo they come soon.
        "EMAIL_URL": f"file:///{options.mails}",
        "REDRIVE_SITE_URL": options.site,
        "REDRIVE_NOTICE_SETTLE_SECONDS": "10",
        "REDRIVE_OUTAGE_QUIET_SECONDS": "60",
        "STATIC_ROOT": str(options.data / "static"),
        **environ,
        "REDRIVE_ENV": "demo",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "false",
        "PYTHONUNBUFFERED": "1",
        # A proxy would look for the upstream on its own machine.
        "NO_PROXY": ",".join(filter(None, [environ.get("NO_PROXY"), HOST, "localhost"])),
    }


def load_secret(path: Path) -> str:
    """Return the secret in `path`, which the first call makes."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(50))
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")


def _number(environ: Mapping[str, str], name: str, *, default: int, limits: tuple[int, int]) -> int:
    given = environ.get(name) or str(default)
    lowest, highest = limits
    if not given.isascii() or not given.isdigit() or not lowest <= int(given) <= highest:
        raise DemoError(f"{name}={given}: a number from {lowest} to {highest} is needed.")
    return int(given)
