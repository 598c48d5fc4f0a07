"""PgBouncer between the processes and PostgreSQL, where the machine has it."""

import os
import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from faults.stage import wait_until
from tools.embedded.accounts import server_account

_PORT = 6432
_CONFIG = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
unix_socket_dir = {folder}
listen_port = {own_port}
listen_addr =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
max_client_conn = 300
ignore_startup_parameters = extra_float_digits
"""


def find_pgbouncer() -> str | None:
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


class Pooler:
    """``mode``: transaction or session. Its sessions are shared by all that connect to ``url``."""

    def __init__(self, program: str, database_url: str, folder: Path, *, mode: str) -> None:
        parts = urlsplit(database_url)
        host = unquote(parse_qs(parts.query).get("host", [parts.netloc.rpartition("@")[2]])[0])
        host, _, port = host.rpartition(":")
        folder.mkdir()
        config = folder / "pgbouncer.ini"
        config.write_text(
            _CONFIG.format(
                host=host,
                port=port,
                user=parts.username,
                folder=folder,
                own_port=_PORT,
                mode=mode,
                # Sessions that are given to others need to be fewer than those that are kept.
                size=15 if mode == "transaction" else 100,
            )
        )
        self._socket = folder / f".s.PGSQL.{_PORT}"
        self._log = folder / "pgbouncer.log"
        self._command = [program, str(config)]
        # It does not run as root, and PostgreSQL's socket is open to PostgreSQL's own account.
        self._account = server_account(folder)
        if self._account is not None:
            os.chown(folder, self._account.uid, self._account.gid)
        self._process: subprocess.Popen[bytes] | None = None
        place = quote(str(folder), safe="")
        self.url = f"postgresql://{parts.username}@{place}:{_PORT}{parts.path}"

    def start(self) -> None:
        account = self._account
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                start_new_session=True,
            )
        wait_until(self._socket.exists, seconds=10, what="PgBouncer listens")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it, and with it every connection of its clients."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None
        self._socket.unlink(missing_ok=True)
