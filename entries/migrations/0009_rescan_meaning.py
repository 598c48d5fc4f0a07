"""``is_rescan`` says that the entry was attempted before, whatever asked for it to be run again."""

from typing import ClassVar

from django.db import migrations, models

_FILL = """
UPDATE entries_attempt a SET is_rescan = NOT a.is_rescan
WHERE (a.number > 1 OR a.is_rescan) AND a.is_rescan <> EXISTS (
    SELECT FROM entries_attempt b
    WHERE b.entry_id = a.entry_id AND b.number < a.number AND b.started_at IS NOT NULL)
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("entries", "0007_upstream")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="attempt",
            name="is_rescan",
            field=models.BooleanField(
                db_default=False, help_text="an earlier attempt at the entry had begun"
            ),
        ),
        migrations.RunSQL(_FILL, migrations.RunSQL.noop),
    ]
