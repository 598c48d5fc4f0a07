"""``manage.py migrate_patiently``: a table that is in use costs a try, not the upgrade."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def locked() -> Iterator[psycopg.Connection[Any]]:
    """Another session that has the table which every migrate reads."""
    parameters = connection.get_connection_params()
    wanted = {
        name: parameters[name]
        for name in ("dbname", "user", "host", "port", "password")
        if name in parameters
    }
    with psycopg.connect(**wanted, application_name="backup") as other:
        other.execute("LOCK TABLE django_migrations")
        yield other


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    options = dict(connection.settings_dict["OPTIONS"])
    options["options"] = f"{options.get('options', '')} -c lock_timeout=100ms".strip()
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)
    connection.close()


def migrate(err: Any, *words: str) -> None:
    call_command("migrate_patiently", "--pause=0.05", *words, stderr=err, verbosity=0)


def test_it_tries_again_until_the_table_is_free() -> None:
    class Release(io.StringIO):
        def write(self, text: str) -> int:
            if "A table is in use" in text:
                other.rollback()
            return super().write(text)

    with locked() as other:
        process = other.info.backend_pid
        migrate(err := Release())
    said = err.getvalue()
    assert said.count("A table is in use") == 1
    assert f"of process {process} (backup), began" in said


def test_it_gives_up_after_its_time() -> None:
    with locked(), pytest.raises(CommandError, match=r"A table stayed in use; .*backup"):
        migrate(io.StringIO(), "--minutes=0")


def test_without_a_lock_it_only_migrates() -> None:
    migrate(err := io.StringIO())
    assert not err.getvalue()
