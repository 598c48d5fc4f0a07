"""Totals of outcomes for metrics, which begin with what was counted before; a permission for them."""

from typing import ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models

FILL = """
INSERT INTO retry_outcometotal (kind, outcome, count)
SELECT kind, CASE fingerprint WHEN '' THEN 'succeeded' ELSE 'failed' END, sum(count)
FROM retry_outcomecount WHERE fingerprint IN ('', '*') GROUP BY 1, 2
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("retry", "0021_retention")]

    operations: ClassVar = [
        migrations.AlterModelOptions(
            name="run",
            options={
                "permissions": [
                    ("view_status", "Can see queues, workers and the dispatcher"),
                    ("view_metrics", "Can read the metrics"),
                ]
            },
        ),
        migrations.AddField(
            model_name="outcomeflush",
            name="lost",
            field=models.BooleanField(
                db_default=False,
                help_text="attempts that ended with their worker and are repeated",
            ),
        ),
        migrations.AddField(
            model_name="outcomeflush",
            name="seconds",
            field=models.FloatField(db_default=0.0, help_text="that processing took, together"),
        ),
        migrations.AddField(
            model_name="outcomeflush",
            name="buckets",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveIntegerField(),
                db_default=[],
                help_text="how many took how long, by the bounds of retry.outcome_counts",
                size=None,
            ),
        ),
        migrations.CreateModel(
            name="OutcomeTotal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=50)),
                ("outcome", models.CharField(max_length=10)),
                ("count", models.PositiveBigIntegerField()),
                ("seconds", models.FloatField(db_default=0.0)),
                (
                    "buckets",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveBigIntegerField(), db_default=[], size=None
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "outcome"), name="outcometotal_key")
                ],
            },
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
