"""Sources may belong to groups, and payloads have a permission of their own.

No source belongs to a group yet, so everyone sees what they saw. Users and groups who may see
entries may see their payloads as before.
"""

from typing import Any, ClassVar

from django.db import migrations, models


def keep_payloads_visible(apps: Any, schema_editor: Any) -> None:
    permissions = apps.get_model("auth", "Permission").objects
    # A new database has no permissions yet, and no one who could lose one.
    known = permissions.filter(content_type__app_label="entries", codename="view_entry").first()
    if known is None:
        return
    payload, _ = permissions.get_or_create(
        content_type=known.content_type,
        codename="view_payload",
        defaults={"name": "Can see the payload of an entry"},
    )
    for holder in (*known.group_set.all(), *known.user_set.all()):
        held = holder.user_permissions if hasattr(holder, "username") else holder.permissions
        held.add(payload)


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("entries", "0015_edits"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="source",
            name="groups",
            field=models.ManyToManyField(
                blank=True,
                help_text=(
                    "Only members of these groups see the source and what comes from it. Without a"
                    " group everyone who may see entries does."
                ),
                related_name="+",
                to="auth.group",
            ),
        ),
        migrations.AlterModelOptions(
            name="source",
            options={
                "ordering": ["slug"],
                "permissions": [
                    ("sync_source", "Can sync a source"),
                    ("view_all_sources", "Can see every source, whatever its groups"),
                ],
            },
        ),
        migrations.AlterModelOptions(
            name="entry",
            options={
                "permissions": [
                    ("retry_entry", "Can retry an entry"),
                    ("resync_entry", "Can resync an entry"),
                    ("discard_entry", "Can discard an entry and restore it"),
                    ("submit_entry", "Can submit entries"),
                    ("export_entry", "Can export entries"),
                    ("view_payload", "Can see the payload of an entry"),
                ],
                "verbose_name_plural": "entries",
            },
        ),
        migrations.RunPython(keep_payloads_visible, migrations.RunPython.noop),
    ]
