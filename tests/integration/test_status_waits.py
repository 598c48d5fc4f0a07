"""For how long work has been waiting, which every page asks."""

import time

import pytest
from django.db import connection

from retry import status
from retry.models import Run

pytestmark = pytest.mark.django_db(transaction=True)

_OLD_HOLDS = """
INSERT INTO retry_hold (kind, upstream, automatic, actor_label, reason, lifted_at, lifted_by,
                        lifted_reason, probes)
SELECT 'page', 'host-' || n, true, '', '', now() - interval '1 day', '', '', 0
FROM generate_series(1, 2000) AS n
"""

_MORE_RUNS = """
INSERT INTO retry_run (id, {0}) SELECT gen_random_uuid(), {0}
FROM retry_run, generate_series(2, 20000)
"""


def test_a_history_of_holds_does_not_slow_down_every_page() -> None:
    given = {"trigger": "retry", "kind": "grouped", "queue": "default", "dispatches": 1}
    Run.objects.create(**given, entry_ids=[1], size=1)
    fields = [str(f.column) for f in Run._meta.concrete_fields if not f.primary_key]
    with connection.cursor() as cursor:
        cursor.execute(_MORE_RUNS.format(", ".join(fields)))
        cursor.execute(_OLD_HOLDS)
        cursor.execute("ANALYZE retry_run, retry_hold")
    began = time.monotonic()
    assert set(status.read(counting=False).waits) == {"default"}
    assert time.monotonic() - began < 1.5, "for each run each hold there ever was is looked at"
