"""What narrows tokens, revoked tokens that stay known, request ids, and an index for open operations.

Columns are nullable or have a constant default, so no table is rewritten.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


def _request_id(model: str, help_text: str) -> migrations.AddField:
    field = models.CharField(
        blank=True, db_default="", default="", help_text=help_text, max_length=64
    )
    return migrations.AddField(model_name=model, name="request_id", field=field)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("retry", "0015_repairs")]

    operations: ClassVar = [
        migrations.AlterModelOptions(
            name="apitoken",
            options={
                "permissions": [("issue_apitoken", "Can make API tokens for others")],
                "verbose_name": "API token",
            },
        ),
        migrations.AddField(
            model_name="apitoken",
            name="scopes",
            field=ArrayField(
                models.CharField(max_length=20),
                help_text="of its user's rights it has those of these scopes; empty: all",
                null=True,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="source_ids",
            field=ArrayField(
                models.BigIntegerField(),
                help_text=(
                    "there are no other entries for it than those of these sources; empty: all"
                ),
                null=True,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="apitoken",
            name="revoked_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RemoveConstraint(model_name="apitoken", name="token_name_per_user"),
        migrations.AddConstraint(
            model_name="apitoken",
            constraint=models.UniqueConstraint(
                condition=models.Q(("revoked_at__isnull", True)),
                fields=("user", "name"),
                name="token_name_per_user",
            ),
        ),
        _request_id("operation", "of what started it"),
        _request_id("run", "empty in an operation"),
        _request_id("sync", "of what requested it"),
        _request_id("import", "of what requested it"),
        migrations.AddIndex(
            model_name="operation",
            index=models.Index(
                condition=models.Q(
                    ("state__in", ["awaiting_approval", "planned", "running", "paused"])
                ),
                fields=["actor"],
                name="operation_open_of",
            ),
        ),
    ]
