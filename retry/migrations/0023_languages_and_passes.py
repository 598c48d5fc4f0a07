"""The language of a subscription's mails, and what notices are translated from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("retry", "0022_outcome_totals")]

    operations = [
        migrations.AddField(
            model_name="subscription",
            name="language",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="of its mails; empty: the project's",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="notice",
            name="words",
            field=models.JSONField(help_text="subject and text, to be translated", null=True),
        ),
    ]
