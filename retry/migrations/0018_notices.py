"""Notices, subscriptions to them, and outages: new tables only."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('entries', '0015_edits'),
        ("retry", "0017_roles_and_operation_sources"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Outage',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('began_at', models.DateTimeField(help_text='the first minute with many failures')),
                ('opened_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), help_text='when it was recognised')),
                ('over_at', models.DateTimeField(null=True)),
                ('is_open', models.BooleanField(default=True, null=True, unique=True)),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('is_open', True), ('over_at__isnull', True)), models.Q(('is_open__isnull', True), ('over_at__isnull', False)), _connector='OR'), name='outage_open_or_over')],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('event', models.CharField(choices=[('outage_began', 'An outage began: many more failures than usual'), ('outage_over', 'An outage is over'), ('group_new', 'An error that was not known before'), ('group_regressed', 'An error came back after it was resolved'), ('breaker_tripped', 'The breaker put something on hold'), ('operation_finished', 'An operation has finished or was cancelled'), ('operation_paused', 'An operation was paused'), ('operation_awaiting', 'An operation awaits approval'), ('source_failing', 'A source cannot be synced any more'), ('dispatcher_silent', 'The dispatcher is silent, so nothing new starts'), ('test', 'A test'), ('more', 'More happened than is sent')], max_length=30)),
                ('key', models.CharField(max_length=100)),
                ('subject', models.CharField(max_length=200)),
                ('text', models.TextField(blank=True)),
                ('path', models.CharField(blank=True, help_text='of the page to look at', max_length=500)),
                ('details', models.JSONField(default=dict)),
                ('recorded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('tell_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('told_at', models.DateTimeField(null=True)),
                ('outage', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='notices', to='retry.outage')),
            ],
            options={
                'ordering': ['-id'],
                'default_permissions': ('view',),
            },
        ),
        migrations.CreateModel(
            name='Subscription',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('events', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=30), size=None)),
                ('everyones', models.BooleanField(default=False, help_text='also operations that others asked for')),
                ('channel', models.CharField(choices=[('mail', 'mail'), ('webhook', 'webhook')], max_length=10)),
                ('address', models.EmailField(blank=True, max_length=254)),
                ('active', models.BooleanField(default=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('endpoint', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='entries.endpoint')),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
                'permissions': [('subscribe_all', 'Can subscribe for all')],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='NoticeDelivery',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('channel', models.CharField(choices=[('mail', 'mail'), ('webhook', 'webhook')], max_length=10)),
                ('target', models.CharField(max_length=254)),
                ('entry', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='entries.entry')),
                ('withheld', models.CharField(blank=True, choices=[('outage', 'part of an outage'), ('too_many', 'too many in an hour')], default='', max_length=10)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('notice', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='retry.notice')),
                ('subscription', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deliveries', to='retry.subscription')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('told_at__isnull', True)), fields=['tell_at'], name='notice_due'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('event', 'key'), name='notice_once'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.CheckConstraint(condition=models.Q(('event__in', ['outage_began', 'outage_over', 'group_new', 'group_regressed', 'breaker_tripped', 'operation_finished', 'operation_paused', 'operation_awaiting', 'source_failing', 'dispatcher_silent', 'test', 'more'])), name='notice_event_known'),
        ),
        migrations.AddConstraint(
            model_name='subscription',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('channel', 'mail'), ('endpoint__isnull', True), models.Q(('address', ''), _negated=True)), models.Q(('address', ''), ('channel', 'webhook'), ('endpoint__isnull', False)), _connector='OR'), name='subscription_one_target'),
        ),
        migrations.AddIndex(
            model_name='noticedelivery',
            index=models.Index(fields=['subscription', '-created_at'], name='delivery_newest'),
        ),
        migrations.AddConstraint(
            model_name='noticedelivery',
            constraint=models.UniqueConstraint(fields=('notice', 'subscription'), name='delivery_once_a_subscription'),
        ),
    ]
