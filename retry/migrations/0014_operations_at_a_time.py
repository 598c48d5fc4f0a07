"""Operations start at a time, in steps and after approval; holds have an end."""

import django.contrib.postgres.fields
from django.db import migrations, models

_STATES = ["awaiting_approval", "planned", "running", "paused", "completed", "cancelled"]


class Migration(migrations.Migration):
    dependencies = [("retry", "0013_saved_views")]

    operations = [
        migrations.AlterModelOptions(
            name="operation",
            options={
                "ordering": ["-created_at"],
                "permissions": [("approve_operation", "Can approve what others have requested")],
            },
        ),
        migrations.RemoveConstraint(model_name="operation", name="operation_state_known"),
        migrations.AddField(
            model_name="hold",
            name="ends_at",
            field=models.DateTimeField(help_text="when the dispatcher lifts it", null=True),
        ),
        migrations.AddField(
            model_name="operation", name="decided_at", field=models.DateTimeField(null=True)
        ),
        migrations.AddField(
            model_name="operation",
            name="decided_by",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="approved or rejected it",
                max_length=150,
            ),
        ),
        migrations.AddField(
            model_name="operation",
            name="ramp",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveIntegerField(),
                db_default=[],
                default=list,
                help_text="entries in each step, the canary first; empty: no ramp",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="operation",
            name="ramp_step",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="which of the steps is under way, from 0"
            ),
        ),
        migrations.AddField(
            model_name="operation",
            name="start_at",
            field=models.DateTimeField(help_text="nothing of it starts before", null=True),
        ),
        migrations.AlterField(
            model_name="operation",
            name="canary_done",
            field=models.BooleanField(
                default=False,
                help_text="passed with all steps of the ramp, or overruled by a person",
            ),
        ),
        migrations.AlterField(
            model_name="operation",
            name="state",
            field=models.CharField(
                choices=[
                    ("awaiting_approval", "awaiting approval"),
                    ("planned", "Planned"),
                    ("running", "Running"),
                    ("paused", "Paused"),
                    ("completed", "Completed"),
                    ("cancelled", "Cancelled"),
                ],
                default="planned",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="operation",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", _STATES)), name="operation_state_known"
            ),
        ),
    ]
