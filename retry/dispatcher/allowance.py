"""What the pace of an operation allows now."""

from django.db import connection

from retry.models import Operation

#: Allowance that is older lapses, so that no burst follows an outage.
_SAVED_SECONDS = 2.0


def measure_allowance(operation: Operation) -> tuple[float, int]:
    """Return how many entries the pace allows now (without a pace: infinity), and how many more of
    its allowance lapse with what starts next.
    """
    if operation.rate_per_second is None:
        return float("inf"), 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp() - %s)", [operation.resumed_at])
        elapsed_seconds = float(cursor.fetchone()[0])
    left = elapsed_seconds * operation.rate_per_second - operation.paced_entries
    allowed = min(left, max(1.0, operation.rate_per_second * _SAVED_SECONDS))
    return allowed, int(left - allowed)
