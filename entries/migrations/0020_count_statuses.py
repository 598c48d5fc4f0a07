"""Counts what was stored before entries were counted as they change.

In a transaction of its own: it reads every entry once, some seconds for ten million, and blocks none
of their writers. What they change meanwhile is counted by the triggers, and not seen here.
"""

from django.db import migrations

COUNT = """
LOCK TABLE entries_statustotal IN SHARE UPDATE EXCLUSIVE MODE;
INSERT INTO entries_statuschange (source_id, status, count)
SELECT source_id, status, sum(count)
FROM (
    SELECT source_id, status, count(*) FROM entries_entry GROUP BY 1, 2
    UNION ALL SELECT source_id, status, -count FROM entries_statustotal
    UNION ALL SELECT source_id, status, -count FROM entries_statuschange
) AS c (source_id, status, count)
GROUP BY 1, 2
HAVING sum(count) <> 0
"""


class Migration(migrations.Migration):
    dependencies = [("entries", "0019_status_totals")]

    operations = [migrations.RunSQL(COUNT, migrations.RunSQL.noop)]
