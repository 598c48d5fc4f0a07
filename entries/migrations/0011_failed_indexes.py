from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q


def failures_by(column: str, name: str) -> AddIndexConcurrently:
    return AddIndexConcurrently(
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
    """Indexes are built while everything works. If it was interrupted, drop the index that is
    left INVALID and repeat it.
    """

    atomic = False
    dependencies = [("entries", "0010_new_entry_defaults")]

    operations = [
        failures_by("fingerprint", "entry_failed_alike"),
        failures_by("error_class", "entry_failed_class"),
        failures_by("source", "entry_failed_source"),
        failures_by("kind", "entry_failed_kind"),
        failures_by("upstream", "entry_failed_upstream"),
        AddIndexConcurrently(
            "entry",
            models.Index(
                fields=["-id"], name="entry_discarded", condition=Q(status="discarded")
            ),
        ),
        # entry_failed_alike has the same first column.
        RemoveIndexConcurrently("entry", "entry_failed_group"),
        # entry_source_external_id begins with the source, and each index costs every transition.
        migrations.AlterField(
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
