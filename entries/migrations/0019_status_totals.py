"""Entries are counted by status as they change.

Two new tables and four triggers: a short lock of the entries, and nothing is rewritten.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('entries', '0018_sent_tasks'),
    ]

    operations = [
        migrations.CreateModel(
            name='StatusChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source_id', models.BigIntegerField(null=True)),
                ('status', models.CharField(max_length=10)),
                ('count', models.BigIntegerField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='StatusTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source_id', models.BigIntegerField(null=True)),
                ('status', models.CharField(max_length=10)),
                ('count', models.BigIntegerField()),
            ],
            options={
                'default_permissions': (),
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entry',
            trigger=pgtrigger.compiler.Trigger(name='count_new', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO entries_statuschange (source_id, status, count) SELECT source_id, status, count(*) FROM new_rows GROUP BY 1, 2; RETURN NULL;', hash='9afc112b75d3279c869e3051b384c57bc9cbd056', level='STATEMENT', operation='INSERT', pgid='pgtrigger_count_new_a0a7c', referencing='REFERENCING NEW TABLE AS new_rows ', table='entries_entry', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entry',
            trigger=pgtrigger.compiler.Trigger(name='count_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO entries_statuschange (source_id, status, count) SELECT source_id, status, sum(count) FROM (SELECT source_id, status, count(*) FROM new_rows GROUP BY 1, 2 UNION ALL SELECT source_id, status, -count(*) FROM old_rows GROUP BY 1, 2) AS c (source_id, status, count) GROUP BY 1, 2 HAVING sum(count) <> 0; RETURN NULL;', hash='ef0c19126a925414882b893cfeb8440b8dd68e6d', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_count_changed_47fec', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='entries_entry', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entry',
            trigger=pgtrigger.compiler.Trigger(name='count_deleted', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO entries_statuschange (source_id, status, count) SELECT source_id, status, -count(*) FROM old_rows GROUP BY 1, 2; RETURN NULL;', hash='5d9435bee24681d909326c3ffeb3023c0b60025d', level='STATEMENT', operation='DELETE', pgid='pgtrigger_count_deleted_5039b', referencing='REFERENCING OLD TABLE AS old_rows ', table='entries_entry', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='entry',
            trigger=pgtrigger.compiler.Trigger(name='count_emptied', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO entries_statuschange (source_id, status, count) SELECT source_id, status, -sum(count) FROM (SELECT source_id, status, count FROM entries_statustotal UNION ALL SELECT source_id, status, count FROM entries_statuschange) AS c GROUP BY 1, 2 HAVING sum(count) <> 0; RETURN NULL;', hash='608a26d700532fd83cc41834a49708f7d86b5938', level='STATEMENT', operation='TRUNCATE', pgid='pgtrigger_count_emptied_0ac8e', table='entries_entry', when='AFTER')),
        ),
        migrations.AddConstraint(
            model_name='statustotal',
            constraint=models.UniqueConstraint(fields=('source_id', 'status'), name='status_total', nulls_distinct=False),
        ),
    ]
