from django.db import migrations

#: As many take a few seconds. For more there is "manage.py index_entries".
FEW = 20_000


def fill(apps, schema_editor):
    """Fill the index of a small table; note what is left to do for a large one."""
    entries = apps.get_model("entries", "Entry").objects
    last = entries.order_by("-pk").values_list("pk", flat=True).first()
    if last is None:
        return
    if entries.all()[: FEW + 1].count() > FEW:
        apps.get_model("entries", "IndexBacklog").objects.create(last_id=last)
        return
    schema_editor.execute(
        "INSERT INTO entries_indexedentry (id, source_id, kind, upstream, text)"
        " SELECT id, source_id, kind, upstream, external_id || chr(31) || title"
        " FROM entries_entry ORDER BY id ON CONFLICT (id) DO NOTHING"
    )


class Migration(migrations.Migration):
    """After the triggers: what is stored from then on is in the index."""

    dependencies = [("entries", "0012_indexed_entries")]

    operations = [
        # A thousand samples tell how frequent a text is; a hundred are too few.
        migrations.RunSQL(
            "ALTER INDEX indexed_text ALTER COLUMN 1 SET STATISTICS 1000", migrations.RunSQL.noop
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
