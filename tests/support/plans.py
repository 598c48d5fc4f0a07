"""How many rows statements read, as PostgreSQL counts them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

_EXPLAIN = "EXPLAIN (ANALYZE, FORMAT JSON) "


def count_rows(node: dict[str, Any]) -> float:
    """Return how many rows a plan has read, in all its nodes and loops."""
    rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return float(rows * node["Actual Loops"]) + sum(map(count_rows, node.get("Plans", ())))


@contextmanager
def counting_rows() -> Iterator[list[float]]:
    """Note how many rows each statement about runs reads; it is tried first, and rolled back."""
    read: list[float] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:  # noqa: FBT001 - Django's
        if "retry_run" in sql and not many:
            with transaction.atomic():
                execute(_EXPLAIN + sql, params, many, context)
                read.append(count_rows(context["cursor"].fetchone()[0][0]["Plan"]))
                transaction.set_rollback(True)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield read


def analyze() -> None:
    """Let the planner know what the tables hold, as a server does by itself in time."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE retry_run, retry_operation, retry_hold")
