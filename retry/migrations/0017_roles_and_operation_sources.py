"""Operations know the sources of their entries, and there are three groups to begin with.

A group that has the name already is left as it is.
"""

from typing import Any, ClassVar

import django.contrib.postgres.fields
from django.db import migrations, models

from retry.access.roles import create_roles

FILL = """
UPDATE retry_operation o SET source_ids = found.ids
FROM (SELECT operation_id, array_agg(DISTINCT coalesce(source_id, 0)) AS ids
      FROM retry_run WHERE operation_id IS NOT NULL AND kind <> '' GROUP BY operation_id) found
WHERE found.operation_id = o.id
"""


def create(apps: Any, schema_editor: Any) -> None:
    create_roles(apps)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("entries", "0016_source_groups"),
        ("retry", "0016_token_scopes_and_request_ids"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="operation",
            name="source_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                db_default=[],
                default=list,
                help_text="of its entries when they were frozen; 0: without a source",
                size=None,
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunPython(create, migrations.RunPython.noop),
    ]
