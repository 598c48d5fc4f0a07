"""Less to write for each move: attempts once, when they end.

An entry says which worker has claimed it. The new column has a default, so no row is rewritten; the
few entries that run meanwhile get the worker that their attempts name.
"""

from typing import ClassVar

from django.db import migrations, models

_COPY = """
UPDATE entries_entry e SET worker = a.worker
FROM entries_attempt a
WHERE e.status = 'running' AND a.entry_id = e.id AND a.number = e.attempt
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("entries", "0013_index_backlog")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="entry",
            name="worker",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                editable=False,
                help_text="that has claimed it; empty unless it runs",
                max_length=200,
            ),
        ),
        migrations.RunSQL(_COPY, migrations.RunSQL.noop),
    ]
