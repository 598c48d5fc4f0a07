"""With which API token something was done. No table is rewritten: NULL, and a constant default."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("retry", "0019_reasons_and_subscriptions_of_a_source")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="auditevent",
            name="token_id",
            field=models.BigIntegerField(
                help_text="of the API token that was sent; empty: none was", null=True
            ),
        ),
        migrations.AddField(
            model_name="auditevent",
            name="token_label",
            field=models.CharField(blank=True, db_default="", default="", max_length=100),
        ),
    ]
