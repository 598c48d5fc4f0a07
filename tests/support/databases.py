"""The databases of the test processes: migrated in one of them, and copied for the others."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection


@contextmanager
def copying_once(config: pytest.Config, folder: Path) -> Iterator[None]:
    """Inside the block, Django makes no test database that has been copied from another.

    ``folder``: shared by the processes of this run.
    """
    worker = getattr(config, "workerinput", None)
    if worker is None:  # this process is the only one
        yield
        return
    own, count = worker["workerid"], worker["workercount"]
    creation: Any = connection.creation
    plain = creation.create_test_db
    done = folder / f"databases-{worker['testrunuid']}"

    def create(*args: Any, **options: Any) -> Any:
        name = creation._get_test_db_name()
        with _locked(done.with_suffix(".lock")):
            if not done.exists():
                made = plain(*args, **options)
                others = {f"gw{number}" for number in range(count)} - {own}
                _copy(name, [name.removesuffix(own) + other for other in sorted(others)])
                done.write_text("\n".join(others))
                return made
        # A worker that stands in for one that died has no copy.
        copied = own in done.read_text().splitlines()
        return plain(*args, **options | ({"keepdb": True} if copied else {}))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(creation, "create_test_db", create)
        yield


@contextmanager
def copied(target: str) -> Iterator[None]:
    """A copy of this process's database, for a process that it starts."""
    _copy(connection.settings_dict["NAME"], [target])
    yield
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(target)}")


def _copy(source: str, targets: list[str]) -> None:
    connection.close()  # nobody may be in it meanwhile
    quote = connection.ops.quote_name
    with connection._nodb_cursor() as cursor:
        for target in targets:
            cursor.execute(f"DROP DATABASE IF EXISTS {quote(target)}")
            cursor.execute(f"CREATE DATABASE {quote(target)} TEMPLATE {quote(source)}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
