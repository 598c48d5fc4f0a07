"""A streaming standby of the server that the tests use, and reading from it."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.db import connection, transaction

from tests.support.servers import wait_until
from tools.embedded.accounts import open_way, server_account
from tools.embedded.postgres import SUPERUSER, PostgresServer, find_installation


class StandbyServer(PostgresServer):
    """It has the primary's databases and can create none."""

    def _create_database(self) -> None:
        pass


@contextmanager
def run_standby() -> Iterator["Standby"]:
    """Copy the server of the tests, and run the copy as a standby that follows it."""
    primary = connection.settings_dict["HOST"]
    if not str(primary).startswith("/"):
        pytest.skip("PostgreSQL is not on this machine")
    folder = Path(mkdtemp(prefix="standby-"))
    try:
        _copy(primary, folder / "postgres")
        for lock in (folder / "postgres").glob(".s.PGSQL*"):  # of the primary's socket
            lock.unlink()
        server = StandbyServer(folder / "postgres", durable=False)
        server.start()
        try:
            yield Standby(server)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(primary: str, target: Path) -> None:
    account = server_account(target)
    if account is not None:
        shutil.chown(target.parent, account.uid, account.gid)
        open_way(target, account, own=target.parent)
    program = find_installation() / "bin" / "pg_basebackup"
    copied = subprocess.run(
        [
            *(program, "-h", primary, "-p", "5432", "-U", SUPERUSER, "-D", target),
            *("--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync"),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
    )
    if copied.returncode != 0:
        pytest.skip(f"this server cannot be copied: {copied.stderr[-300:]}")


class Standby:
    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @contextmanager
    def read(self) -> Iterator[None]:
        """Have everything in the block read from the standby, which has all that was committed."""
        with connection.cursor() as cursor:
            # A commit that waits: those before it, which did not, are written with it.
            with transaction.atomic():
                cursor.execute("SET LOCAL synchronous_commit = local")
                cursor.execute("SELECT pg_logical_emit_message(true, 'tests', 'written')")
            cursor.execute("SELECT pg_current_wal_flush_lsn()")
            (written,) = cursor.fetchone()
        primary = connection.settings_dict["HOST"]
        self._connect(str(self._server.socket.parent))
        try:
            wait_until(lambda: self._has_replayed(written), timeout=30)
            yield
        finally:
            self._connect(primary)

    @staticmethod
    def _connect(host: str) -> None:
        connection.close()
        connection.settings_dict["HOST"] = host

    @staticmethod
    def _has_replayed(written: str) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", [written])
            return bool(cursor.fetchone()[0])
