from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('entries', '0003_resync_webhooks_and_intervals'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='entry',
            options={
                'permissions': [
                    ('retry_entry', 'Can retry an entry'), ("resync_entry", "Can resync an entry"),
                    ('discard_entry', 'Can discard an entry and restore it'),
                    ('submit_entry', 'Can submit entries'),
                    ('export_entry', 'Can export entries'),
                ],
                'verbose_name_plural': 'entries',
            },
        ),
    ]
