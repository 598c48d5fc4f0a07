"""What entries depend on. Not in one transaction: the column is added without rewriting the table,
and what is stored is filled in batches, so that no request waits. Each step can be repeated."""

from typing import Any

from django.db import migrations, models

from entries.storage import derive_upstreams


def fill(apps: Any, schema_editor: Any) -> None:
    derive_upstreams()


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("entries", "0006_attempt_began")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE entries_entry"
            " ADD COLUMN IF NOT EXISTS upstream varchar(200) DEFAULT '' NOT NULL",
            "ALTER TABLE entries_entry DROP COLUMN IF EXISTS upstream",
            state_operations=[
                migrations.AddField(
                    model_name="entry",
                    name="upstream",
                    field=models.CharField(
                        blank=True,
                        db_default="",
                        editable=False,
                        help_text="what it depends on outside, derived by its kind",
                        max_length=200,
                    ),
                )
            ],
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(
            "DROP INDEX IF EXISTS entry_scheduled", migrations.RunSQL.noop
        ),
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY entry_scheduled"
            " ON entries_entry (kind, upstream, id) WHERE status = 'scheduled'",
            "DROP INDEX IF EXISTS entry_scheduled",
            state_operations=[
                migrations.AddIndex(
                    model_name="entry",
                    index=models.Index(
                        condition=models.Q(("status", "scheduled")),
                        fields=["kind", "upstream", "id"],
                        name="entry_scheduled",
                    ),
                )
            ],
        ),
    ]
