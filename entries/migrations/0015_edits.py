"""What people edit to try an entry again stays with the attempt that followed.

A new table; nothing else is touched.
"""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("entries", "0014_entry_worker")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Edit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("attempt", models.PositiveIntegerField()),
                ("title_before", models.CharField(blank=True, max_length=500)),
                ("title_after", models.CharField(blank=True, max_length=500)),
                ("payload_before", models.JSONField()),
                ("payload_after", models.JSONField()),
                ("hash_before", models.CharField(blank=True, max_length=64)),
                ("hash_after", models.CharField(max_length=64)),
                ("upstream_before", models.CharField(blank=True, max_length=200)),
                (
                    "entry",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="edits",
                        to="entries.entry",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("entry", "attempt"), name="edit_entry_attempt")
                ],
            },
        ),
    ]
