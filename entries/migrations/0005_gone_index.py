from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("entries", "0004_submit_permission")]

    operations = [
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(("gone_at__isnull", False)), fields=["-id"], name="entry_gone"
            ),
        ),
    ]
