"""The migration that builds indexes while everything works can be interrupted and repeated."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import OperationalError, connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from psycopg.errors import LockNotAvailable

from tests.factories.entries import EntryFactory
from tests.support.servers import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

BUILT = [
    "entry_discarded",
    "entry_failed_alike",
    "entry_failed_class",
    "entry_failed_kind",
    "entry_failed_source",
    "entry_failed_upstream",
]


def load() -> tuple[Migration, ProjectState]:
    """The migration, and the models before it."""
    loader = MigrationLoader(connection)
    before = loader.project_state(("entries", "0010_new_entry_defaults"))
    return loader.get_migration("entries", "0011_failed_indexes"), before


def migrate() -> None:
    migration, before = load()
    with connection.schema_editor(atomic=False) as editor:
        migration.apply(before, editor)


def query(sql: str, *params: str | float) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return list(cursor.fetchall()) if cursor.description else []


def indexes() -> dict[object, tuple[object, object]]:
    """Validity and file of each index of the entries."""
    found = query(
        "SELECT indexrelid::regclass::text, indisvalid, pg_relation_filenode(indexrelid)"
        " FROM pg_index WHERE indrelid = 'entries_entry'::regclass"
    )
    return {name: (valid, file) for name, valid, file in found}


@contextmanager
def backup() -> Iterator[Callable[[], None]]:
    """A session with an old snapshot of the table; yields what ends it."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        other.execute("SELECT count(*) FROM entries_entry")
        yield other.rollback


@contextmanager
def lock_timeout(value: str) -> Iterator[None]:
    query(f"SET lock_timeout = '{value}'")
    try:
        yield
    finally:
        connection.close()


def waits(statement: str, *, seconds: float = 0.0) -> bool:
    """Whether a session of this database has waited for a lock for so long."""
    return bool(
        query(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND datname = current_database() AND starts_with(query, %s)"
            " AND clock_timestamp() - query_start > make_interval(secs => %s)",
            statement,
            seconds,
        )
    )


def interrupt() -> None:
    """Leave what an interrupted build leaves: some indexes, one INVALID, the rest not there."""
    for name in BUILT[3:]:
        query(f"DROP INDEX {name}")
    with (
        backup(),
        lock_timeout("50ms"),
        pytest.raises(OperationalError) as error,
    ):
        query(
            "CREATE INDEX CONCURRENTLY entry_failed_source ON entries_entry"
            " (source_id, failed_at DESC, id DESC) WHERE status = 'failed'"
        )
    assert isinstance(error.value.__cause__, LockNotAvailable)
    assert indexes()["entry_failed_source"][0] is False


def test_it_is_repeated_after_an_interruption() -> None:
    EntryFactory.create_batch(3, failed=True)
    before = indexes()
    interrupt()
    migrate()
    after = indexes()
    assert after.keys() == before.keys()
    assert all(valid for valid, _ in after.values())
    for name in set(before) - set(BUILT[3:]):
        assert after[name] == before[name], "what was whole stays"
    migrate()
    assert indexes() == after, "nothing left to do"


def test_it_waits_longer_than_the_limits_of_its_role() -> None:
    query("DROP INDEX entry_failed_source")

    said: list[object] = []

    def run() -> None:
        with lock_timeout("100ms"):
            try:
                migrate()
                said.append(query("SHOW lock_timeout"))
            except Exception as error:  # noqa: BLE001 - for the main thread
                said.append(error)

    migrating = threading.Thread(target=run)
    with backup() as end:
        migrating.start()
        try:
            wait_until(lambda: said or waits("CREATE INDEX", seconds=0.3))
        finally:
            end()
            migrating.join()
    assert said == [[("100ms",)]], "and they hold again afterwards"
    assert indexes()["entry_failed_source"][0] is True


def test_a_build_that_goes_on_without_its_client_is_waited_for() -> None:
    query("DROP INDEX entry_failed_source")
    building = psycopg.connect(**connection.get_connection_params(), autocommit=True)

    def build() -> None:
        building.execute("SET lock_timeout = 0")
        building.execute(
            "CREATE INDEX CONCURRENTLY entry_failed_source ON entries_entry"
            " (source_id, failed_at DESC, id DESC) WHERE status = 'failed'"
        )

    said: list[object] = []

    def repeat() -> None:
        try:
            migrate()
            said.append("done")
        except Exception as error:  # noqa: BLE001 - for the main thread
            said.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=build), threading.Thread(target=repeat)]
    with building, backup() as end:
        threads[0].start()
        try:
            wait_until(lambda: waits("CREATE INDEX"))
            threads[1].start()
            wait_until(lambda: said or waits("LOCK TABLE"))
        finally:
            end()
            for thread in threads:
                thread.join()
    assert said == ["done"]
    assert indexes()["entry_failed_source"][0] is True


def test_the_index_of_the_foreign_key_goes_and_the_key_stays() -> None:
    keys = "SELECT oid FROM pg_constraint WHERE conrelid = 'entries_entry'::regclass"
    before, found = query(keys), indexes()
    query("CREATE INDEX entries_entry_source_id_old ON entries_entry (source_id)")
    with backup(), lock_timeout("50ms"), pytest.raises(OperationalError):
        query("DROP INDEX CONCURRENTLY entries_entry_source_id_old")
    assert indexes()["entries_entry_source_id_old"][0] is False
    migrate()
    assert (indexes(), query(keys)) == (found, before)


def test_back_and_forth() -> None:
    before = indexes()
    migration, old = load()
    with connection.schema_editor(atomic=False) as editor:
        migration.unapply(old, editor)
    assert not set(BUILT) & indexes().keys()
    assert "entry_failed_group" in indexes()
    migrate()
    assert indexes().keys() == before.keys()
