from contextlib import contextmanager, suppress

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import Error, migrations, models, transaction
from django.db.models import F, Q

LIMITS = ["lock_timeout", "statement_timeout"]


@contextmanager
def no_limits(schema_editor):
    """Let the session wait as long as it must, for one operation.

    A concurrent build waits for every older snapshot, such as a backup's. Where a limit ends that,
    an INVALID index is left.
    """
    if schema_editor.collect_sql:
        yield
        return
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT name, current_setting(name) FROM unnest(%s::text[]) AS name", [LIMITS])
        before = cursor.fetchall()
        set_limits(cursor, [(name, "0") for name in LIMITS])
    try:
        yield
    finally:
        with suppress(Error), schema_editor.connection.cursor() as cursor:
            set_limits(cursor, before)


def set_limits(cursor, values):
    for name, value in values:
        cursor.execute("SELECT set_config(%s, %s, false)", [name, value])


def is_valid(schema_editor, name):
    """Say whether the index is there and whole. What an interrupted build left is dropped."""
    if schema_editor.collect_sql:
        return False
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
        valid = [row[0] for row in cursor.fetchall()]
    if valid == [False]:
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {schema_editor.quote_name(name)}")
    return valid == [True]


def wait_for_builds(schema_editor, model):
    """A server continues a build whose client is gone. Waiting for its lock needs no snapshot,
    for which that build would wait in turn.
    """
    if not schema_editor.collect_sql:
        table = schema_editor.quote_name(model._meta.db_table)
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute(f"LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE")


class BuildIndex(AddIndexConcurrently):
    """Build an index unless it is there; can be repeated."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        with no_limits(schema_editor):
            wait_for_builds(schema_editor, to_state.apps.get_model(app_label, self.model_name))
            if not is_valid(schema_editor, self.index.name):
                super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        with no_limits(schema_editor):
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class DropIndex(RemoveIndexConcurrently):
    """Drop an index if it is there; can be repeated."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        with no_limits(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        with no_limits(schema_editor):
            wait_for_builds(schema_editor, to_state.apps.get_model(app_label, self.model_name))
            if not is_valid(schema_editor, self.name):
                super().database_backwards(app_label, schema_editor, from_state, to_state)


class DropForeignKeyIndex(migrations.AlterField):
    """Drop the index that Django made for a foreign key, and leave the constraint alone.

    ``AlterField`` would block the table, check every row again, and lose the constraint where it is
    interrupted.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = from_state.apps.get_model(app_label, self.model_name)
        column = model._meta.get_field(self.name).column
        with no_limits(schema_editor):
            for name in schema_editor._constraint_names(model, [column], index=True, type_="idx"):
                quoted = schema_editor.quote_name(name)
                schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted}")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        name = schema_editor._create_index_name(model._meta.db_table, [field.column])
        with no_limits(schema_editor):
            wait_for_builds(schema_editor, model)
            if not is_valid(schema_editor, name):
                schema_editor.execute(
                    schema_editor._create_index_sql(
                        model, fields=[field], name=name, concurrently=True
                    ),
                    params=None,
                )


def failures_by(column: str, name: str) -> BuildIndex:
    return BuildIndex(
        "entry",
        models.Index(
            F(column),
            F("failed_at").desc(),
            F("id").desc(),
            name=name,
            condition=Q(status="failed"),
        ),
    )


class Migration(migrations.Migration):
    """Indexes are built while everything works. If it was interrupted, repeat it: what is whole
    stays, and an INVALID index is built again.
    """

    atomic = False
    dependencies = [("entries", "0010_new_entry_defaults")]

    operations = [
        failures_by("fingerprint", "entry_failed_alike"),
        failures_by("error_class", "entry_failed_class"),
        failures_by("source", "entry_failed_source"),
        failures_by("kind", "entry_failed_kind"),
        failures_by("upstream", "entry_failed_upstream"),
        BuildIndex(
            "entry",
            models.Index(
                fields=["-id"], name="entry_discarded", condition=Q(status="discarded")
            ),
        ),
        # entry_failed_alike has the same first column.
        DropIndex("entry", "entry_failed_group"),
        # entry_source_external_id begins with the source, and each index costs every transition.
        DropForeignKeyIndex(
            "entry",
            "source",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=models.deletion.PROTECT,
                related_name="entries",
                to="entries.source",
            ),
        ),
        # How these depend on each other, which combined filters need to be planned well.
        migrations.RunSQL(
            "CREATE STATISTICS IF NOT EXISTS entry_failures (dependencies, mcv)"
            " ON status, source_id, kind, fingerprint, error_class FROM entries_entry",
            "DROP STATISTICS IF EXISTS entry_failures",
        ),
    ]
