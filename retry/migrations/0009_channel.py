"""The way a request came in is called its channel."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("retry", "0008_idempotency_digest")]

    operations = [
        migrations.RenameField(model, "doorway", "channel")
        for model in ("auditevent", "sync", "import")
    ]
