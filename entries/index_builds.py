"""Operations for migrations: indexes of large tables, built and dropped while everything works."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import Error, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.utils import CursorWrapper

_LIMITS = ["lock_timeout", "statement_timeout"]


@contextmanager
def no_limits(schema_editor: BaseDatabaseSchemaEditor) -> Iterator[None]:
    """Let the session wait as long as it must, for one operation.

    A concurrent build waits for every older snapshot, such as a backup's. Where a limit ends that,
    an INVALID index is left.
    """
    if schema_editor.collect_sql:
        yield
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [_LIMITS]
        )
        before = cursor.fetchall()
        _set_limits(cursor, [(name, "0") for name in _LIMITS])
    try:
        yield
    finally:
        with suppress(Error), schema_editor.connection.cursor() as cursor:
            _set_limits(cursor, before)


def _set_limits(cursor: CursorWrapper, values: Iterable[tuple[str, str]]) -> None:
    for name, value in values:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, value])


def is_valid(schema_editor: BaseDatabaseSchemaEditor, name: str) -> bool:
    """Say whether the index is there and whole. What an interrupted build left is dropped."""
    if schema_editor.collect_sql:
        return False
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
        valid = [row[0] for row in cursor.fetchall()]
    if valid == [False]:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")
    return valid == [True]


def wait_for_builds(schema_editor: BaseDatabaseSchemaEditor, model: Any) -> None:
    """A server continues a build whose client is gone. Waiting for its lock needs no snapshot,
    for which that build would wait in turn.
    """
    if not schema_editor.collect_sql:
        table = schema_editor.quote_name(model._meta.db_table)
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")


class BuildIndex(AddIndexConcurrently):
    """Build an index unless it is there; can be repeated."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        with no_limits(schema_editor):
            wait_for_builds(schema_editor, to_state.apps.get_model(app_label, self.model_name))
            if not is_valid(schema_editor, self.index.name):
                super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        with no_limits(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class DropIndex(RemoveIndexConcurrently):
    """Drop an index if it is there; can be repeated."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        with no_limits(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        with no_limits(schema_editor):
            wait_for_builds(schema_editor, to_state.apps.get_model(app_label, self.model_name))
            if not is_valid(schema_editor, self.name):
                super().database_backwards(app_label, schema_editor, from_state, to_state)
