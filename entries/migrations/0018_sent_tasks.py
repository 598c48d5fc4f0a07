"""That a task is sent to another installation is noted before it is sent.

A new table; nothing else is touched.
"""

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("entries", "0017_endpoint_secrets")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="SentTask",
            fields=[
                (
                    "entry",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="sent_task",
                        serialize=False,
                        to="entries.entry",
                    ),
                ),
                ("task_id", models.CharField(max_length=36)),
                ("cycle", models.BigIntegerField()),
                ("state", models.CharField(max_length=8)),
                ("intended_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["intended", "sent", "doubtful", "ended"])
                        ),
                        name="sent_task_state_known",
                    )
                ],
            },
        ),
    ]
