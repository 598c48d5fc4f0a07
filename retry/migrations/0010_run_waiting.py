"""An index for the run that has waited longest in a queue."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("retry", "0009_channel")]

    operations = [
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                fields=["queue", "dispatched_at"],
                name="run_waiting",
                condition=models.Q(("state", "queued")),
            ),
        ),
    ]
