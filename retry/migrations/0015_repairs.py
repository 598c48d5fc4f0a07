"""Operations that repair payloads, and those that undo it.

A column without a default, so nothing is rewritten; the other changes are of choices alone.
"""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("retry", "0014_operations_at_a_time")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="operation",
            name="repair",
            field=models.JSONField(null=True, help_text="what is changed in payloads, as data"),
        ),
        migrations.AlterField(
            model_name="operation",
            name="action",
            field=models.CharField(
                choices=[
                    ("retry", "retry"),
                    ("resync", "resync"),
                    ("retry_now", "retry now"),
                    ("stop", "stop retrying"),
                    ("discard", "discard"),
                    ("restore", "restore"),
                    ("repair", "repair and retry"),
                    ("undo", "undo of a repair"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="trigger",
            field=models.CharField(
                choices=[
                    ("submit", "first try"),
                    ("retry", "retry"),
                    ("bulk_retry", "bulk retry"),
                    ("resync", "resync"),
                    ("automatic", "automatic retry"),
                    ("retry_now", "retry now"),
                    ("stop", "stop retrying"),
                    ("rescue", "rescue"),
                    ("discard", "discard"),
                    ("restore", "restore"),
                    ("repair", "repair"),
                    ("undo", "undo of a repair"),
                ],
                max_length=12,
            ),
        ),
    ]
