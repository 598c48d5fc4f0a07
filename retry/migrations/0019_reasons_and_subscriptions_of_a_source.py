"""Indexes of what has a reason, and subscriptions to one source."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("entries", "0016_source_groups"), ("retry", "0018_notices")]

    operations = [
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(
                fields=["-created_at"],
                name="operation_reason",
                condition=models.Q(("reason", ""), _negated=True),
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["-created_at"],
                name="run_reason",
                condition=models.Q(
                    ("operation__isnull", True), models.Q(("reason", ""), _negated=True)
                ),
            ),
        ),
        migrations.AddField(
            model_name="subscription",
            name="source",
            field=models.ForeignKey(
                blank=True,
                null=True,
                help_text="only what is about this source; empty: all",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="entries.source",
            ),
        ),
    ]
