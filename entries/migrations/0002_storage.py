"""How the busy tables are stored: room for updates in place, and vacuum before it hurts."""

from django.db import migrations

_ENTRY = """
ALTER TABLE entries_entry SET (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02
)
"""
_ATTEMPT = """
ALTER TABLE entries_attempt SET (
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.05
)
"""


class Migration(migrations.Migration):
    dependencies = [("entries", "0001_initial")]
    operations = [
        migrations.RunSQL(
            _ENTRY,
            "ALTER TABLE entries_entry RESET (fillfactor, autovacuum_vacuum_scale_factor,"
            " autovacuum_analyze_scale_factor)",
        ),
        migrations.RunSQL(
            _ATTEMPT,
            "ALTER TABLE entries_attempt RESET (fillfactor, autovacuum_vacuum_scale_factor)",
        ),
    ]
