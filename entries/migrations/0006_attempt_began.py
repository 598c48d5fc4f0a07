from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("entries", "0005_gone_index")]

    operations = [
        migrations.AddField(
            model_name="attempt",
            name="began",
            field=models.BooleanField(
                db_default=False,
                help_text="its processing has begun; counts if it is lost",
            ),
        ),
    ]
