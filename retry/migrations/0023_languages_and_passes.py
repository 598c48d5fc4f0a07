"""The language of a subscription's mails, what notices are translated from, who began a pass."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("retry", "0022_outcome_totals"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

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
        migrations.AddField(
            model_name="retentionpass",
            name="actor",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="retentionpass",
            name="actor_label",
            field=models.CharField(blank=True, db_default="", default="", max_length=150),
        ),
        migrations.AddField(
            model_name="retentionpass",
            name="channel",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
    ]
