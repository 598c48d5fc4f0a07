from django.db import migrations, models
from django.db.models import F, Q

from entries.index_builds import BuildIndex, DropIndex, is_valid, no_limits, wait_for_builds


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
