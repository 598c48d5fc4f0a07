"""A new entry gets its status and what follows from it from the database.

Sets defaults only: no row is rewritten.
"""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("entries", "0009_rescan_meaning")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="entry",
            name="status",
            field=models.CharField(
                db_default="pending", default="pending", editable=False, max_length=12
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="attempt",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="number of the current attempt; 0 before the first",
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="automatic_attempts",
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False),
        ),
        migrations.AlterField(
            model_name="entry",
            name="error_class",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=200
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="error_message",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=500
            ),
        ),
        migrations.AlterField(
            model_name="entry",
            name="fingerprint",
            field=models.CharField(
                blank=True, db_default="", default="", editable=False, max_length=40
            ),
        ),
    ]
