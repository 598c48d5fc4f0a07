"""Retention: how far it has come, and the one way in which audit events may be deleted.

A new table, an index of a small one, and triggers: nothing is rewritten.
"""
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('retry', '0020_audit_tokens'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RetentionPass',
            fields=[
                ('name', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('began_at', models.DateTimeField(null=True)),
                ('cutoff', models.DateTimeField(null=True)),
                ('cursor_at', models.CharField(blank=True, default='', max_length=40)),
                ('cursor_id', models.CharField(blank=True, default='', max_length=200)),
                ('removed', models.PositiveBigIntegerField(default=0)),
                ('ended_at', models.DateTimeField(null=True)),
                ('last_removed', models.PositiveBigIntegerField(default=0)),
            ],
            options={
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='auditevent',
            name='append_only',
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at', 'id'], name='operation_ended'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditevent',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash='4ba61f766c54c459dbf63fab1ef8071d43f9e715', operation='UPDATE', pgid='pgtrigger_append_only_cd8a7', table='retry_auditevent', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditevent',
            trigger=pgtrigger.compiler.Trigger(name='kept', sql=pgtrigger.compiler.UpsertTriggerSql(func="IF current_setting('redrive.audit_retention', true) = 'on' AND OLD.at < now() - interval '30 days' THEN RETURN OLD; END IF; RAISE EXCEPTION 'Cannot delete rows from % table', TG_TABLE_NAME;", hash='348e9399976af42b5126315de0d8f8bc6efc7195', operation='DELETE', pgid='pgtrigger_kept_07521', table='retry_auditevent', when='BEFORE')),
        ),
    ]
